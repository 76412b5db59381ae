import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { NEVER } from 'rxjs';
import { startProbes } from '../../src/status/probes.ts';
import { fullStatus } from '../support/status-of-replica.ts';
import { heard } from '../support/webhook-call.ts';
import { type FuzzLaw, openedLaw } from './fuzz-law.ts';
import { mutated } from './mutated.ts';

const probes = () =>
  startProbes({
    bind: { host: '127.0.0.1', port: 0 },
    live: () => null,
    reasons: () => [],
    status: () => fullStatus,
    changed$: NEVER,
    page: () => ({ code: 200, contentType: 'text/html', body: 'page' }),
  });

const request = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
const targets = [
  '/',
  '/livez',
  '/readyz?verbose',
  '/status',
  '/__proto__',
  '/constructor',
  '//',
  '/..%2f',
  '*',
  'http://a/',
  '/\u00e9',
];
const bytes = fc.oneof(
  mutated([
    ...targets.map((target) => request(`GET ${target}`)),
    request('POST /livez'),
    request('HEAD /'),
    request('TRACE /'),
    request('CONNECT a:1'),
  ]),
  fc.uint8Array({ maxLength: 500 }).map((some) => Buffer.from(some)),
);

export const probePorts: readonly FuzzLaw[] = [
  openedLaw('given any bytes answers or closes cleanly, and goes on answering', probes, ({ port }) =>
    fc.asyncProperty(bytes, async (said) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const answer = heard(socket);
      socket.end(said);
      // The event stream has no end of its own.
      setTimeout(() => socket.destroy(), 2_000).unref();
      expect(await answer).to.match(/^(HTTP\/1\.1 (200|400|404|405|408|413|414|417|431|500|501|505) |$)/);
      const live = await fetch(`http://127.0.0.1:${port}/livez`);
      expect([live.status, await live.text()]).to.deep.equal([200, 'ok']);
    }),
  ),
];
