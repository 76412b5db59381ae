import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { budgetMs, createMemoryBudget, heldBytesLimit, readBody, requestTarget } from '../../src/webhook/request.ts';
import { exchange } from '../support/exchange.ts';

describe('request target', () => {
  const cases: readonly (readonly [string | undefined, string, number | null])[] = [
    ['/validate?timeout=10s', '/validate', 10_000],
    ['/a/b?x=1&timeout=1m30s', '/a/b', 90_000],
    ['/?timeout=1.5s&y', '/', 1_500],
    ['/?timeout=500ms', '/', 500],
    ['/?timeout=1h', '/', 3_600_000],
    ['/?timeout=1.25s', '/', 1_250],
    ['/?timeout=1h1m1s1ms', '/', 3_661_001],
    ['/?timeout=500us', '/', 0.5],
    ['/?timeout=500µs', '/', 0.5],
    ['/?timeout=1000000ns', '/', 1],
    ['/?timeout=x10s', '/', null],
    ['/?timeout=10sx', '/', null],
    ['/?timeout=10', '/', null],
    ['/?timeout=', '/', null],
    ['/?timeout=ten', '/', null],
    ['/?timeouts=10s', '/', null],
    ['/timeout=10s', '/timeout=10s', null],
    ['?timeout=10s', '', 10_000],
    [undefined, '/', null],
  ];
  for (const [url, pathname, timeoutMs] of cases)
    it(`reads ${url ?? 'nothing'}`, () => expect(requestTarget(url)).to.deep.equal({ pathname, timeoutMs }));

  it('is read once for calls that follow each other', () => {
    expect(requestTarget('/a?timeout=1s')).to.equal(requestTarget('/a?timeout=1s'));
    expect(requestTarget('/b').pathname).to.equal('/b');
  });
});

describe('budget', () => {
  it('leaves the API server a tenth, at most 500 ms, to hear our own reason', () => {
    expect([1_000, 5_000, 10_000, 30_000].map((ms) => budgetMs(ms, 60_000))).to.deep.equal([900, 4_500, 9_500, 29_500]);
  });

  it('never exceeds the ceiling, and holds without a grant', () => {
    expect([budgetMs(30_000, 10_000), budgetMs(null, 10_000), budgetMs(0, 10_000)]).to.deep.equal([10_000, 10_000, 1]);
  });
});

describe('the memory that requests may hold together', () => {
  const MIB = 1024 * 1024;

  it("is an eighth of the container's limit, and at least 8 MiB: one body of the largest size must fit", () => {
    expect([256, 512, 2_048].map((mib) => heldBytesLimit(mib * MIB) / MIB)).to.deep.equal([32, 64, 256]);
    expect(heldBytesLimit(32 * MIB) / MIB).to.equal(8);
  });

  it('is 64 MiB where the container has no limit, which the kernel reports as 0 or as a number near 2^63', () => {
    for (const unlimited of [0, 2 ** 50, 2 ** 63, 9_223_372_036_854_771_712])
      expect(heldBytesLimit(unlimited) / MIB).to.equal(64);
  });
});

describe('a budget of memory', () => {
  const LIMIT = 1_000_000;
  /** Holders that say when they are evicted. Those that are complete are not. */
  const budget = () => {
    const clock = { nowMs: 0 };
    const memory = createMemoryBudget(LIMIT, () => clock.nowMs);
    const evicted: string[] = [];
    const hold = (name: string, bytes: number, announcedBytes = bytes) => {
      const one = memory.hold(() => evicted.push(name), announcedBytes);
      return { ...one, isHeld: one.grow(bytes) };
    };
    const complete = (bytes: number): boolean => {
      const one = hold('a complete one', bytes);
      one.settle();
      return one.isHeld;
    };
    return { clock, memory, evicted, hold, complete };
  };

  it('gives half of it to large requests, to the last byte', () => {
    const { complete, memory } = budget();
    expect([complete(200_000), complete(300_000), complete(100_000)]).to.deep.equal([true, true, false]);
    expect(memory.heldBytes).to.equal(500_000);
  });

  it('gives all of it to requests of the usual size, to the last byte', () => {
    const { complete, memory } = budget();
    expect(complete(700_000)).to.equal(true);
    const usual = Array.from({ length: 6 }, (_, i) => complete(i < 5 ? 60_000 : 1));
    expect(usual).to.deep.equal([true, true, true, true, true, false]);
    expect(memory.heldBytes).to.equal(LIMIT);
  });

  it('gives a quarter to requests of the usual size beside one that exceeds it, to the last byte', () => {
    const { complete } = budget();
    expect(complete(1_100_000)).to.equal(true);
    const usual = Array.from({ length: 6 }, (_, i) => complete(i < 5 ? 50_000 : 1));
    expect(usual).to.deep.equal([true, true, true, true, true, false]);
  });

  for (const [what, ages, worst] of [
    ['the larger of two that are as old', { small: [0, 100_000], large: [0, 200_000] }, 'large'],
    ['the larger of two that are as old, whichever came first', { large: [0, 200_000], small: [0, 100_000] }, 'large'],
    ['the older of two of a size', { older: [0, 200_000], newer: [500, 200_000] }, 'older'],
    ['one that has held less for much longer', { older: [0, 100_000], newer: [900, 300_000] }, 'older'],
  ] as const)
    it(`evicts ${what}`, () => {
      const { clock, hold, complete, evicted } = budget();
      expect(complete(64_000)).to.equal(true);
      for (const [name, [atMs, bytes]] of Object.entries<readonly [number, number]>(ages)) {
        clock.nowMs = atMs;
        expect(hold(name, bytes).isHeld).to.equal(true);
      }
      clock.nowMs = 1_000;
      for (let more = 0; evicted.length === 0; more += 1) {
        expect(more).to.be.lessThan(16);
        expect(complete(64_000)).to.equal(true);
      }
      expect(evicted).to.deep.equal([worst]);
    });

  it('evicts one of the usual size for another, where no large one can be', () => {
    const { clock, hold, complete, evicted } = budget();
    complete(700_000);
    for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) hold(name, 60_000);
    clock.nowMs = 1_000;
    expect(complete(50_000)).to.equal(true);
    expect(evicted).to.deep.equal(['first']);
  });

  it('evicts none that holds nothing yet', () => {
    const { clock, hold, complete, evicted, memory } = budget();
    complete(700_000);
    hold('empty', 0, 400_000);
    hold('empty too', 0, 4_000);
    for (let calls = 0; calls < 5; calls += 1) complete(60_000);
    clock.nowMs = 1_000;
    expect(complete(60_000)).to.equal(false);
    expect([evicted, memory.heldBytes]).to.deep.equal([[], LIMIT]);
  });

  it('does not evict the one that asks', () => {
    const { clock, hold, complete, evicted, memory } = budget();
    complete(300_000);
    const one = hold('the one that asks', 150_000, 800_000);
    clock.nowMs = 1_000;
    expect([one.grow(100_000), one.grow(50_000)]).to.deep.equal([false, true]);
    expect([evicted, memory.heldBytes]).to.deep.equal([[], 500_000]);
  });

  it('gives nothing more to one that was evicted or has ended', () => {
    const { clock, hold, complete, evicted, memory } = budget();
    const [gone, ended] = [hold('evicted', 300_000), hold('ended', 100_000)];
    ended.release();
    clock.nowMs = 1_000;
    for (let calls = 0; evicted.length === 0; calls += 1) complete(60_000);
    const { heldBytes } = memory;
    expect([gone.grow(1), ended.grow(1)]).to.deep.equal([false, false]);
    expect(memory.heldBytes).to.equal(heldBytes);
  });
});

describe('reading a body', () => {
  const LIMIT = 1_000_000;
  const begin = (headers: Readonly<Record<string, string>> = {}, memory = createMemoryBudget(LIMIT), factor = 0) => {
    const one = exchange({ headers, complete: false });
    return { ...one, memory, read: readBody(one.request, 500_000, memory, factor) };
  };

  it('does not copy one that comes in one piece', async () => {
    const { request, read } = begin();
    const piece = Buffer.from('whole');
    request.push(piece);
    request.complete = true;
    request.push(null);
    expect((await read).body).to.equal(piece);
  });

  it('joins the pieces, of which there may be none', async () => {
    for (const pieces of [[], ['one, ', 'two, ', 'three']]) {
      const { request, complete, read } = begin();
      for (const piece of pieces) request.push(piece);
      complete('');
      expect(String((await read).body)).to.equal(pieces.join(''));
    }
  });

  it('counts it as large from its first byte on where that was announced', async () => {
    for (const [headers, isLarge] of [
      [{ 'content-length': '400000' }, true],
      [{}, false],
    ] as const) {
      const memory = createMemoryBudget(LIMIT);
      const held = memory.hold(() => undefined);
      held.grow(600_000);
      held.settle();
      const { request, complete, read } = begin(headers, memory);
      request.push('x');
      complete('');
      expect((await read).body === 'no-memory').to.equal(isLarge);
    }
  });

  it('ends when its memory is needed for other requests, and holds nothing then', async () => {
    const { request, memory, read } = begin();
    request.push(Buffer.alloc(300_000));
    await nextTurn();
    expect(memory.heldBytes).to.equal(300_000);
    const usual = Array.from({ length: 12 }, () => memory.hold(() => expect.fail('evicted'), 60_000));
    for (const one of usual) {
      expect(one.grow(60_000)).to.equal(true);
      one.settle();
    }
    expect((await read).body).to.equal('no-memory');
    expect([memory.heldBytes, request.listenerCount('data')]).to.deep.equal([720_000, 0]);
  });

  it('keeps the memory of one that is complete, whoever needs it', async () => {
    const { request, complete, memory, read } = begin();
    request.push(Buffer.alloc(400_000));
    complete('');
    expect((await read).body).to.have.length(400_000);
    for (let calls = 0; calls < 12; calls += 1) memory.hold(() => undefined, 60_000).grow(60_000);
    expect(memory.heldBytes).to.be.at.least(400_000);
  });

  for (const [what, complete, reason] of [
    ['has not come', false, undefined],
    ['has not come, with an error', false, new Error('aborted')],
    ['has come and was not read yet', true, new Error('aborted')],
  ] as const)
    it(`is cut short by the end of a connection whose last part ${what}`, async () => {
      const { request, memory, read } = begin();
      request.push('{');
      request.complete = complete;
      request.destroy(reason);
      expect((await read).body).to.equal('cut-short');
      expect(memory.heldBytes).to.equal(0);
    });
});
