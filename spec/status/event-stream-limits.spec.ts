import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { mock } from 'node:test';
import { expect } from 'chai';
import { NEVER, type Observable, Subject, throwError } from 'rxjs';
import { eventStream } from '../../src/status/probes.ts';

/** A response that records what is done with it; its client reads nothing when `writableLength` is set. */
const fakeResponse = (unreadBytes = 0) => {
  const done: unknown[] = [];
  const response = Object.assign(new EventEmitter(), {
    writableEnded: false,
    destroyed: false,
    writableLength: unreadBytes,
    writeHead: (code: number, headers: object) => {
      done.push([code, headers]);
      return response;
    },
    write: (text: string) => done.push(text),
    end: (text: string) => done.push(['end', text]),
    destroy: () => {
      done.push('destroyed');
      response.destroyed = true;
    },
  });
  return { done, response: response as unknown as ServerResponse, close: () => response.emit('close') };
};

const OPENED = [200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }];
const TURNED_AWAY = [
  [503, { 'Content-Type': 'text/plain', 'Retry-After': '10' }],
  ['end', 'too many clients\n'],
];

describe('the stream of events, towards its clients,', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval', 'Date'], now: 0 }));
  afterEach(() => mock.timers.reset());
  const open = (changed$: Observable<unknown> = NEVER, read = () => 'one') => eventStream({ changed$, read });
  const connected = (route: ReturnType<typeof open>, unreadBytes?: number) => {
    const client = fakeResponse(unreadBytes);
    route()(client.response);
    return client;
  };

  it('sends a comment every 15 seconds, so that no proxy closes it', () => {
    const { done, close } = connected(open());
    mock.timers.tick(14_999);
    expect(done).to.deep.equal([OPENED, 'data: one\n\n']);
    mock.timers.tick(1);
    mock.timers.tick(15_000);
    expect(done.slice(2)).to.deep.equal([': heartbeat\n\n', ': heartbeat\n\n']);
    close();
    mock.timers.tick(60_000);
    expect(done).to.have.length(4);
  });

  it('sends the first change of a burst at once', () => {
    const changed$ = new Subject<void>();
    let value = 0;
    const { done, close } = connected(open(changed$, () => String(value)));
    for (value = 1; value < 5; value += 1) changed$.next();
    expect(done.slice(1)).to.deep.equal(['data: 0\n\n', 'data: 1\n\n']);
    mock.timers.tick(100);
    expect(done.slice(3)).to.deep.equal(['data: 5\n\n']);
    close();
  });

  it('disconnects a client that has more than a mebibyte unread, and no other', () => {
    expect(connected(open(), 1 << 20).done).to.deep.equal([OPENED, 'data: one\n\n']);
    expect(connected(open(), (1 << 20) + 1).done).to.deep.equal([OPENED, 'data: one\n\n', 'destroyed']);
  });

  it('disconnects when the value cannot be read', () => {
    const failing$ = throwError(() => new Error('a bug'));
    expect(connected(open(failing$)).done).to.deep.equal([OPENED, 'data: one\n\n', 'destroyed']);
  });

  it('writes nothing to a client that is gone', () => {
    const changed$ = new Subject<void>();
    let value = 'one';
    const { done, response } = connected(open(changed$, () => value));
    response.destroy();
    value = 'two';
    changed$.next();
    expect(done).to.deep.equal([OPENED, 'data: one\n\n', 'destroyed']);
  });

  it('has room for 32 clients, and again for one more whenever one leaves', () => {
    const route = open();
    const clients = Array.from({ length: 32 }, () => connected(route));
    expect(connected(route).done).to.deep.equal(TURNED_AWAY);
    clients[0]?.close();
    expect(connected(route).done[0]).to.deep.equal(OPENED);
    expect(connected(route).done).to.deep.equal(TURNED_AWAY);
    for (const { close } of clients.slice(1)) close();
  });
});
