import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { reviewText } from '../support/admission-review.ts';
import type { SpecReplica } from '../support/installation.ts';
import { canLimitMemory, openMemoryLimit } from '../support/memory-limit.ts';
import type { RealApi } from '../support/real-api.ts';
import { until } from '../support/until.ts';
import { heard } from '../support/webhook-call.ts';
import { faulted } from './faulted.ts';
import { sharedApi } from './shared-api.ts';

const MIB = 1024 * 1024;
/** The limit in manifests/base/deployment.yaml. */
const LIMIT_BYTES = 256 * MIB;
const CONNECTIONS = 512;
/** A review of just under the default of MAX_REQUEST_BYTES. */
const BODY = Buffer.from(reviewText({ object: { data: { filler: 'x'.repeat(7 * MIB - 2_048) } } }));

const head = Buffer.from(
  `POST /validate?timeout=10s HTTP/1.1\r\nHost: hook\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`,
);

const opened = async ({ host, webhookPort: port }: SpecReplica): Promise<TLSSocket> => {
  const socket = connect({ host, port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
};

/** What each of many connections does with a large review; resolves with what it was answered. */
const ATTACKS: Readonly<Record<string, (socket: TLSSocket) => Promise<string>>> = {
  'send all but the end of 7 MiB and then nothing': (socket) => {
    socket.write(head);
    socket.write(BODY.subarray(0, -1));
    return heard(socket);
  },
  'send 7 MiB each, all at once': (socket) => {
    socket.write(head);
    socket.write(BODY);
    socket.once('data', () => socket.end());
    return heard(socket);
  },
};

// Defined where control groups may be made: a pending spec would fail the run.
const attacks = (await canLimitMemory()) ? Object.entries(ATTACKS) : [];

describe(`a container limit of ${LIMIT_BYTES / MIB} MiB holds, and honest callers are answered, while`, function () {
  this.timeout(300_000);
  let api: RealApi;
  before(async () => {
    api = await sharedApi();
  });

  for (const [what, attack] of attacks)
    it(`${CONNECTIONS} connections ${what}`, async () => {
      await using limit = await openMemoryLimit(LIMIT_BYTES);
      await using scene = await faulted(api);
      const replica = await scene.replica({ within: limit.within });
      await scene.converged();

      const sinceMs = performance.now();
      const answers = await Promise.all(Array.from({ length: CONNECTIONS }, async () => attack(await opened(replica))));
      const codes = new Map<string, number>();
      for (const answer of answers) {
        const code = /^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 'none';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
      const peakMib = Math.round((await limit.peakBytes()) / MIB);
      const told = [...codes].map(([code, count]) => `${count} x ${code}`).join(', ');
      console.log(`      answered ${told} in ${Math.round(performance.now() - sinceMs)} ms; peak ${peakMib} MiB`);

      expect(await limit.kills()).to.equal(0);
      await until(async () => (await replica.probe('/readyz')).text === 'ok');
      scene.expectUnharmed();
      await scene.announced();
      await scene.converged();
      scene.expectUnharmed();
    });
});
