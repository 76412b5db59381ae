import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { canLimitMemory, openMemoryLimit } from '../support/memory-limit.ts';
import type { RealApi } from '../support/real-api.ts';
import { until } from '../support/until.ts';
import { faulted } from './faulted.ts';
import type { LargeReviews } from './large-reviews.ts';
import { sharedApi } from './shared-api.ts';

const MIB = 1024 * 1024;
/** The limit in manifests/base/deployment.yaml. */
const LIMIT_BYTES = 256 * MIB;
const CONNECTIONS = 512;

/** What each of many connections does with a large review. */
const ATTACKS: Readonly<Record<string, LargeReviews['sent']>> = {
  'send all but the end of 7 MiB and then nothing': 'all but the end',
  'send 7 MiB each, all at once': 'whole',
};

// Defined where control groups may be made: a pending spec would fail the run.
const attacks = (await canLimitMemory()) ? Object.entries(ATTACKS) : [];

describe(`a container limit of ${LIMIT_BYTES / MIB} MiB holds, and honest callers are answered, while`, function () {
  this.timeout(300_000);
  let api: RealApi;
  before(async () => {
    api = await sharedApi();
  });

  for (const [what, sent] of attacks)
    it(`${CONNECTIONS} connections ${what}`, async () => {
      await using limit = await openMemoryLimit(LIMIT_BYTES);
      await using scene = await faulted(api);
      const replica = await scene.replica({ within: limit.within });
      await scene.converged();

      const sinceMs = performance.now();
      using attacker = fork(join(import.meta.dirname, 'large-reviews.ts'));
      const { host, webhookPort: port } = replica;
      attacker.send({ host, port, connections: CONNECTIONS, sent } satisfies LargeReviews);
      const [answers] = (await once(attacker, 'message')) as [readonly string[]];
      const codes = new Map<string, number>();
      for (const code of answers) codes.set(code, (codes.get(code) ?? 0) + 1);
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
