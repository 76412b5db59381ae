import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { connect, type TLSSocket } from 'node:tls';
import { reviewText } from '../support/admission-review.ts';
import { heard } from '../support/webhook-call.ts';

/**
 * A process that sends many large reviews to one webhook at once and reports the status codes of the answers. It is a process
 * of its own, below the priority of all others, since attackers are on other machines: what 3.5 GiB cost to encrypt delays
 * neither honest callers nor the webhook.
 */

const MIB = 1024 * 1024;
/** A review of just under the default of MAX_REQUEST_BYTES. */
const BODY = Buffer.from(reviewText({ object: { data: { filler: 'x'.repeat(7 * MIB - 2_048) } } }));

const head = Buffer.from(
  `POST /validate?timeout=10s HTTP/1.1\r\nHost: hook\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`,
);

/** What each connection does; resolves with what it was answered. */
const ATTACKS = {
  'all but the end': (socket: TLSSocket) => {
    socket.write(head);
    socket.write(BODY.subarray(0, -1));
    return heard(socket);
  },
  whole: (socket: TLSSocket) => {
    socket.write(head);
    socket.write(BODY);
    socket.once('data', () => socket.end());
    return heard(socket);
  },
};

export interface LargeReviews {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly sent: keyof typeof ATTACKS;
}

const opened = async (host: string, port: number): Promise<TLSSocket> => {
  const socket = connect({ host, port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
};

setPriority(constants.priority.PRIORITY_LOW);
process.once('message', async ({ host, port, connections, sent }: LargeReviews) => {
  const answers = await Promise.all(
    Array.from({ length: connections }, async () => ATTACKS[sent](await opened(host, port))),
  );
  process.send?.(answers.map((answer) => /^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 'none'));
});
