import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import type { Dispatcher } from 'undici';
import { ClientClosedRequest, forward, UpstreamTimeoutError } from '../../src/webhook/forward.ts';

const MAX_BYTES = 100;
const LEFT_MS = 1_000;

interface Given {
  readonly rawHeaders?: readonly string[];
  /** Whether the caller's whole body has been read. */
  readonly complete?: boolean;
  /** Whether the caller takes what is written at once. */
  readonly takes?: boolean;
}

/** An exchange without a network: `asked` is what the upstream was asked, `done` what happened to caller and upstream. */
const forwarding = ({ rawHeaders = [], complete = true, takes = true }: Given = {}) => {
  const done: unknown[] = [];
  const response = Object.assign(new EventEmitter(), {
    shouldKeepAlive: true,
    writeHead: (status: number, headers: readonly string[]) => void done.push(['head', status, headers]),
    write: (chunk: Buffer) => (done.push(['write', chunk.toString()]), takes),
    end: () => void done.push('end'),
  });
  const controller = {
    rawHeaders: [] as readonly (Buffer | string)[] | null,
    pause: () => void done.push('pause'),
    resume: () => void done.push('resume'),
    abort: (reason: Error) => void done.push(['abort', reason]),
  };
  const asked: Dispatcher.DispatchOptions[] = [];
  let handler: Dispatcher.DispatchHandler = {};
  const to = {
    dispatch: (options: Dispatcher.DispatchOptions, given: Dispatcher.DispatchHandler) => {
      asked.push(options);
      handler = given;
      return true;
    },
  };
  let result: unknown = 'pending';
  void forward({
    to: to as unknown as Dispatcher,
    request: { url: '/a?timeout=1s', rawHeaders, complete } as unknown as IncomingMessage,
    response: response as unknown as ServerResponse,
    body: Buffer.from('{}'),
    leftMs: LEFT_MS,
    maxBytes: MAX_BYTES,
  }).then(
    () => (result = 'done'),
    (error: unknown) => (result = error),
  );
  const from = controller as unknown as Dispatcher.DispatchController;
  return {
    asked,
    done,
    response,
    controller,
    start: () => handler.onRequestStart?.(from, undefined),
    head: (status: number, headers: NodeJS.Dict<string> = {}) =>
      handler.onResponseStart?.(from, status, headers, undefined),
    data: (text: string) => handler.onResponseData?.(from, Buffer.from(text)),
    end: () => handler.onResponseEnd?.(from, {}),
    fail: (error: Error) => handler.onResponseError?.(from, error),
    result: async (): Promise<unknown> => {
      await nextTurn();
      return result;
    },
  };
};
type Exchange = ReturnType<typeof forwarding>;

/** Everything that an upstream may still say. */
const answer = ({ head, data, end }: Exchange): void => {
  head(200);
  data('x');
  end();
};

describe('a forwarded request', () => {
  const kept = (...rawHeaders: readonly string[]) => forwarding({ rawHeaders }).asked[0]?.headers;

  it('goes on with its path and body as they are', () => {
    expect(forwarding().asked).to.deep.equal([
      { path: '/a?timeout=1s', method: 'POST', headers: [], body: Buffer.from('{}') },
    ]);
  });

  it('loses the headers of its connection, and those that the connection header names, in any case', () => {
    const headers = ['Connection', 'close, X-Hop ,x-other', 'x-hop', '1', 'X-OTHER', '2', 'TE', '3', 'X-Kept', '4'];
    expect(kept(...headers)).to.deep.equal(['X-Kept', '4']);
    expect(kept('X-Kept', '1', 'CONNECTION', 'x-hop', 'X-Hop', '2')).to.deep.equal(['X-Kept', '1']);
  });

  it('keeps a header whose name is the value of another, and each one that comes twice', () => {
    const headers = ['X-One', 'x-two', 'X-Two', '1', 'X-Two', '2'];
    expect(kept(...headers)).to.deep.equal(headers);
  });

  for (const name of [
    'expect',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ])
    it(`loses ${name}, which concerns one connection`, () => expect(kept(name, '1')).to.deep.equal([]));
});

describe('a forwarded answer', () => {
  it('comes back byte for byte, with its headers as they were written', async () => {
    const exchange = forwarding();
    exchange.controller.rawHeaders = [Buffer.from('X-Caf\xe9', 'latin1'), Buffer.from('\xe9', 'latin1')];
    exchange.start();
    exchange.head(418);
    exchange.data('a');
    exchange.data('b');
    expect(await exchange.result()).to.equal('pending');
    exchange.end();
    expect(await exchange.result()).to.equal('done');
    expect(exchange.done).to.deep.equal([['head', 418, ['X-Caf\xe9', '\xe9']], ['write', 'a'], ['write', 'b'], 'end']);
  });

  it('without a list of headers has none', () => {
    const exchange = forwarding();
    exchange.controller.rawHeaders = null;
    exchange.start();
    exchange.head(200);
    expect(exchange.done).to.deep.equal([['head', 200, []]]);
  });

  it('begins after the interim ones, which concern the connection to the upstream', () => {
    const exchange = forwarding();
    exchange.start();
    for (const status of [100, 103, 199]) exchange.head(status);
    expect(exchange.done).to.deep.equal([]);
    exchange.head(200);
    expect(exchange.done).to.deep.equal([['head', 200, []]]);
  });

  for (const complete of [true, false])
    it(`${complete ? 'keeps' : 'ends'} the connection of a caller whose body ${complete ? 'has' : 'has not'} been read`, () => {
      const exchange = forwarding({ complete });
      exchange.start();
      exchange.head(200);
      expect(exchange.response.shouldKeepAlive).to.equal(complete);
    });

  it('waits for a caller that does not take it at once', () => {
    const exchange = forwarding({ takes: false });
    exchange.start();
    exchange.head(200);
    exchange.data('a');
    expect(exchange.done.slice(1)).to.deep.equal([['write', 'a'], 'pause']);
    exchange.response.emit('drain');
    expect(exchange.done.at(-1)).to.equal('resume');
  });

  it('of exactly the largest size passes, declared and counted', async () => {
    const exchange = forwarding();
    exchange.start();
    exchange.head(200, { 'content-length': String(MAX_BYTES) });
    exchange.data('x'.repeat(MAX_BYTES - 1));
    exchange.data('x');
    exchange.end();
    expect(await exchange.result()).to.equal('done');
  });

  for (const [what, tooMuch] of [
    ['that declares', ({ head }: Exchange) => head(200, { 'content-length': String(MAX_BYTES + 1) })],
    [
      'that has',
      ({ head, data }: Exchange) => {
        head(200);
        data('x'.repeat(MAX_BYTES));
        data('x');
      },
    ],
  ] as const)
    it(`${what} more bytes than the limit is given up, and the reason names the limit`, async () => {
      const exchange = forwarding();
      exchange.start();
      tooMuch(exchange);
      const reason = await exchange.result();
      expect(reason).to.be.an('error').with.property('message', 'answered with more than 100 bytes');
      expect(exchange.done.at(-1)).to.deep.equal(['abort', reason]);
    });

  it('that fails is an error of the upstream', async () => {
    const exchange = forwarding();
    exchange.start();
    const error = new Error('other side closed');
    exchange.fail(error);
    expect(await exchange.result()).to.equal(error);
  });
});

describe('a forwarded request that is given up', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  const causes: readonly (readonly [string, (exchange: Exchange) => void, new () => Error])[] = [
    ['because its time is over', () => mock.timers.tick(LEFT_MS), UpstreamTimeoutError],
    ['because its caller has gone', ({ response }) => void response.emit('close'), ClientClosedRequest],
  ];
  for (const [why, giveUp, kind] of causes) {
    it(`${why} ends at the upstream at once, and nothing more is written`, async () => {
      const exchange = forwarding();
      exchange.start();
      giveUp(exchange);
      const reason = await exchange.result();
      expect(reason).to.be.instanceOf(kind);
      answer(exchange);
      expect(exchange.done).to.deep.equal([['abort', reason]]);
      expect(exchange.response.shouldKeepAlive).to.equal(true);
    });

    it(`${why} before it began is not sent later`, async () => {
      const exchange = forwarding();
      giveUp(exchange);
      const reason = await exchange.result();
      expect(reason).to.be.instanceOf(kind);
      expect(exchange.done).to.deep.equal([]);
      exchange.start();
      expect(exchange.done).to.deep.equal([['abort', reason]]);
    });

    it(`${why} is so only until the answer is complete`, async () => {
      const exchange = forwarding();
      exchange.start();
      answer(exchange);
      giveUp(exchange);
      exchange.response.emit('drain');
      expect(await exchange.result()).to.equal('done');
      expect(exchange.done).to.deep.equal([['head', 200, []], ['write', 'x'], 'end']);
    });
  }

  it('has its whole time', async () => {
    const exchange = forwarding();
    exchange.start();
    mock.timers.tick(LEFT_MS - 1);
    expect(await exchange.result()).to.equal('pending');
    answer(exchange);
    expect(await exchange.result()).to.equal('done');
  });
});
