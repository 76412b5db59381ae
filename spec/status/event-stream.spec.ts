import { once } from 'node:events';
import { createServer, get as request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Subject } from 'rxjs';
import { eventStream } from '../../src/status/probes.ts';
import { startPlainServer } from '../../src/util/plain-server.ts';
import { until } from '../support/until.ts';

describe('the stream of events', () => {
  const open = async () => {
    const changed$ = new Subject<void>();
    const state = { value: 'one', reads: 0 };
    const read = (): string => {
      state.reads += 1;
      return state.value;
    };
    const bind = { host: '127.0.0.1', port: 0 };
    const server = await startPlainServer(bind, { '/events': eventStream({ changed$, read }) });
    const change = (value: string): void => {
      state.value = value;
      changed$.next();
    };
    return { server, changed$, state, change, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  };

  const watch = async (port: number) => {
    const [response] = (await once(
      request({ host: '127.0.0.1', port, path: '/events', agent: false }),
      'response',
    )) as [IncomingMessage];
    const seen: string[] = [];
    response.setEncoding('utf8').on('data', (text: string) => seen.push(text));
    response.on('error', () => seen.push('broken'));
    return { response, seen };
  };

  it('tells how things are at once, and again when they are otherwise', async () => {
    await using stream = await open();
    const { response, seen } = await watch(stream.server.port);
    expect(response.headers).to.include({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    await until(() => seen.length === 1);
    stream.change('two');
    await until(() => seen.length === 2);
    expect(seen).to.deep.equal(['data: one\n\n', 'data: two\n\n']);
  });

  it('is silent about changes that leave everything as it is', async () => {
    await using stream = await open();
    const { seen } = await watch(stream.server.port);
    await until(() => seen.length === 1);
    stream.change('one');
    await until(() => stream.state.reads > 1);
    stream.change('two');
    await until(() => seen.length > 1);
    expect(seen).to.deep.equal(['data: one\n\n', 'data: two\n\n']);
  });

  it('draws a burst of changes together and never loses the last', async () => {
    await using stream = await open();
    const { seen } = await watch(stream.server.port);
    await until(() => seen.length === 1);
    for (let change = 0; change <= 1_000; change += 1) stream.change(`v${change}`);
    await until(() => seen.at(-1) === 'data: v1000\n\n');
    expect(seen.length).to.be.at.most(3);
  });

  it('reads nothing without a client, and unsubscribes when the client disconnects', async () => {
    await using stream = await open();
    stream.change('two');
    expect([stream.state.reads, stream.changed$.observed]).to.deep.equal([0, false]);
    const { response } = await watch(stream.server.port);
    expect(stream.changed$.observed).to.equal(true);
    response.destroy();
    await until(() => !stream.changed$.observed);
  });

  it('turns away more than any screens there are, and ends with its server', async () => {
    const stream = await open();
    const watchers = await Promise.all(Array.from({ length: 33 }, () => watch(stream.server.port)));
    const codes = watchers.map(({ response }) => response.statusCode).sort();
    expect(codes).to.deep.equal([...Array.from({ length: 32 }, () => 200), 503]);
    await stream[Symbol.asyncDispose]();
    await until(() => !stream.changed$.observed);
  });

  it('writes nothing between the end of a response and its close', async () => {
    const changed$ = new Subject<void>();
    let value = 'one';
    const errors: unknown[] = [];
    const stream = eventStream({ changed$, read: () => value })();
    const started = Promise.withResolvers<ServerResponse>();
    await using server = createServer((_, response) => {
      response.on('error', (error) => errors.push(error));
      stream(response);
      started.resolve(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { response: answer } = await watch((server.address() as AddressInfo).port);
    const response = await started.promise;

    // As under load: the response is ended, and its last bytes wait to be written.
    response.cork();
    response.end();
    value = 'two';
    changed$.next();
    await delay(20);
    expect(errors).to.deep.equal([]);
    answer.destroy();
    server.closeAllConnections();
  });

  it('answers HEAD without a stream', async () => {
    await using stream = await open();
    const answer = await fetch(`http://127.0.0.1:${stream.server.port}/events`, {
      method: 'HEAD',
      headers: { connection: 'close' },
    });
    expect([answer.status, await answer.text()]).to.deep.equal([200, '']);
  });
});
