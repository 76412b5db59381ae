import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { createAdmission } from '../../src/webhook/admission.ts';
import { allowAll } from '../../src/webhook/load-handler.ts';
import { createUpstream } from '../../src/webhook/upstream.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { scaled } from '../support/until.ts';
import { call, dial, heard } from '../support/webhook-call.ts';

/** Short, and yet longer than an honest caller takes here. */
const limits = {
  handshakeTimeoutMs: scaled(250),
  headersTimeoutMs: scaled(200),
  requestTimeoutMs: scaled(250),
  exchangeTimeoutMs: scaled(600),
};
const maxRequestBytes = 10_000;

const some = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** A first line, some header fields, and whatever: enough like HTTP to get far. */
const like = (lines: readonly string[], fields: readonly string[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...lines), fc.array(fc.constantFrom(...fields), { maxLength: 5 }), some)
    .map(([first, rest, body]) => Buffer.concat([Buffer.from(`${[first, ...rest].join('\r\n')}\r\n\r\n`), body]));

const framing = [
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999',
  'Transfer-Encoding: chunked',
];
const request = fc.oneof(
  some,
  like(
    ['POST / HTTP/1.1', 'GET /?timeout=x HTTP/1.0', 'PRI * HTTP/2.0', 'CONNECT a:1 HTTP/1.1'],
    [
      ...framing,
      'Host: x',
      'Content-Type: application/json',
      'Expect: 100-continue',
      'Upgrade: h2c\r\nConnection: upgrade',
      'X:\u0000',
    ],
  ),
);
const response = fc.oneof(
  some,
  like(
    [
      'HTTP/1.1 200 OK',
      'HTTP/1.1 100 Continue',
      'HTTP/1.1 101 Upgrade',
      'HTTP/1.0 204 ',
      'HTTP/1.1 304 x',
      'HTTP/9.9 600 x',
    ],
    [
      ...framing,
      'Connection: close',
      'Connection: upgrade\r\nUpgrade: h2c',
      'Trailer: x',
      'X:\u0000',
      'X: \u00ff',
      ' folded',
    ],
  ),
);

describe('any bytes', () => {
  const answered = (port: number) =>
    fc.asyncProperty(request, fc.boolean(), async (bytes, inTls) => {
      const socket = inTls ? await dial(port) : connect(port, '127.0.0.1');
      const text = heard(socket);
      socket.end(bytes);
      // Outside TLS the only answer is an alert.
      expect(await text).to.match(inTls ? /^(HTTP\/1\.1 \d{3} |$)/ : /^(\u0015|$)/);
    });

  it('from a caller get a response or a clean close from the host', async () => {
    const answer = createAdmission({ route: () => allowAll, maxRequestBytes, log: quietLog });
    await using open = await openServer({ limits, answer });
    await fc.assert(answered(open.port), { numRuns: 150 });
    expect((await call({ port: open.port, body: reviewText() })).status).to.equal(200);
  });

  it('from a caller and from an upstream get a response or a clean close from the front', async () => {
    let says: Buffer = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(says));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using upstream = createUpstream({ upstream: { kind: 'http', url }, timeoutMs: 100, maxRequestBytes });
    await using open = await openServer({ limits, answer: upstream.answer });
    await fc.assert(answered(open.port), { numRuns: 50 });
    await fc.assert(
      fc.asyncProperty(response, async (bytes) => {
        says = bytes;
        const { status } = await call({ port: open.port }).catch((error: unknown) => {
          expect(String(error)).to.match(/aborted|hang up|ECONNRESET/);
          return { status: 0 };
        });
        expect(status === 0 || (status >= 200 && status <= 999), String(status)).to.equal(true);
      }),
      { numRuns: 150 },
    );
    says = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    expect((await call({ port: open.port })).text).to.equal('{}');
    server.close();
  });
});
