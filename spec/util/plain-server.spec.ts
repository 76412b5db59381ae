import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { startPlainServer, textPage } from '../../src/util/plain-server.ts';

const bind = { host: '127.0.0.1', port: 0 };
const routes = {
  '/': () => textPage(200, 'here\n'),
  '/stream': () => (response: { write: (text: string) => unknown }) => void response.write('begun\n'),
};
const SLOW_MS = 60;

/** What is received until the connection ends, which it must within a second. */
const conversation = async (port: number, ...said: readonly string[]): Promise<string> => {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let heard = '';
  socket.on('data', (text: string) => (heard += text));
  for (const text of said) socket.write(text);
  await once(socket, 'close', { signal: AbortSignal.timeout(1_000) });
  return heard;
};

describe('the plain server', () => {
  it('parts with whoever says nothing, or not enough', async () => {
    await using server = await startPlainServer(bind, routes, SLOW_MS);
    expect(await conversation(server.port)).to.equal('');
    expect(await conversation(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n')).to.equal('');
  });

  it('answers, and lets an answer take as long as it likes', async () => {
    await using server = await startPlainServer(bind, routes, SLOW_MS);
    expect(await conversation(server.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).to.match(
      /here\n$/,
    );
    const socket = connect(server.port, '127.0.0.1').setEncoding('utf8');
    socket.write('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close').then(() => 'closed');
    const slow = new Promise((resolve) => setTimeout(resolve, 5 * SLOW_MS, 'open'));
    expect(await Promise.race([closed, slow])).to.equal('open');
    socket.destroy();
  });

  it('does not wake up while nobody is connected', async () => {
    const everyMs: number[] = [];
    const hook = createHook({
      init: (_id, type, _trigger, resource: { readonly _repeat?: number | null }) => {
        if (type === 'Timeout' && typeof resource._repeat === 'number') everyMs.push(resource._repeat);
      },
    }).enable();
    await using server = await startPlainServer(bind, routes);
    hook.disable();
    expect(server.port).to.be.above(0);
    expect(everyMs).to.deep.equal([30_000]);
  });
});
