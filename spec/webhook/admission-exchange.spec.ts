import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { createAdmission } from '../../src/webhook/admission.ts';
import type {
  AdmissionHandler,
  AdmissionResponse,
  HandlerContext,
  HandlerLog,
} from '../../src/webhook/admission-types.ts';
import { allow } from '../../src/webhook/handler-api.ts';
import { createMemoryBudget, type MemoryBudget, type Outcome } from '../../src/webhook/request.ts';
import { reviewText } from '../support/admission-review.ts';
import { type Exchange, exchange } from '../support/exchange.ts';
import { monotonicClock } from '../support/monotonic-clock.ts';

const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';
const MAX_BYTES = 10_000;

/** An admission without a network, and what it logged and how its exchanges ended. */
const admission = (handler: AdmissionHandler = () => allow(), memory: MemoryBudget = createMemoryBudget(1_000_000)) => {
  const lines: unknown[] = [];
  const outcomes: Outcome[] = [];
  const into =
    (level: keyof HandlerLog): HandlerLog['warn'] =>
    (message, fields) =>
      void lines.push([level, message, fields]);
  const answer = createAdmission({
    route: (path) => {
      if (path === '/bug') throw new Error('a bug');
      return path === '/gone' ? undefined : handler;
    },
    maxRequestBytes: MAX_BYTES,
    log: { debug: into('debug'), info: into('info'), warn: into('warn'), error: into('error') },
    onAnswered: (outcome) => outcomes.push(outcome),
    memory,
  });
  const begin = (url = '/validate'): Exchange => {
    const one = exchange({ url, headers: { 'content-type': 'application/json' }, complete: false });
    answer(one.request, one.response);
    return one;
  };
  return {
    lines,
    outcomes,
    begin,
    /** Sends a whole review, or another body, and returns what the caller has been sent by then. */
    ask: async (body = reviewText(), url?: string) => {
      const one = begin(url);
      one.complete(body);
      await nextTurn();
      return { ...one, sent: await one.text() };
    },
  };
};

describe('an admission', () => {
  it('logs what it refuses, once a minute for each status, with the reason', async () => {
    const { ask, lines } = admission();
    await ask('{');
    await ask('{');
    await ask('{}', '/gone');
    const fields = { suppressed: 0, event: 'admission-refused' };
    expect(lines).to.deep.equal([
      ['warn', 'Admission request refused', { status: 400, reason: 'the body is not JSON', ...fields }],
      ['warn', 'Admission request refused', { status: 404, reason: 'no handler for /gone', ...fields }],
    ]);
  });

  it('logs what a handler did wrong, once a minute for each path, and in detail at debug', async () => {
    const { ask, lines, outcomes } = admission(() => Promise.reject(new Error('boom')));
    await ask();
    await ask();
    await ask(reviewText(), '/mutate?timeout=1s');
    const failed = (level: string, path: string) => {
      const fields = { path, uid: UID, reason: 'the handler failed: boom', suppressed: 0, event: 'handler-failed' };
      return [level, 'Admission handler failed', fields];
    };
    expect(lines).to.deep.equal([failed('warn', '/validate'), failed('debug', '/validate'), failed('warn', '/mutate')]);
    expect(outcomes).to.deep.equal(['failed', 'failed', 'failed']);
  });

  it('logs what nobody foresaw, and tells the caller nothing of it', async () => {
    const { ask, lines, outcomes } = admission();
    expect((await ask(reviewText(), '/bug')).sent).to.match(/^HTTP\/1\.1 500 [^]*\r\n\r\ninternal error\n$/);
    const fields = { reason: 'a bug', event: 'admission-failed' };
    expect([lines, outcomes]).to.deep.equal([[['error', 'Admission request failed', fields]], ['failed']]);
  });

  it('calls no handler for a body that breaks off, and ends as aborted without an answer', async () => {
    let calls = 0;
    const { begin, outcomes, lines } = admission(() => ((calls += 1), allow()));
    const one = begin();
    one.request.push('{');
    one.request.on('error', () => undefined).destroy(new Error('aborted'));
    await nextTurn();
    expect([calls, outcomes, lines, await one.text()]).to.deep.equal([0, ['aborted'], [], '']);
    expect(one.response.destroyed).to.equal(true);
  });

  it('refuses a body of unknown length that turns out to be too large', async () => {
    const { ask, outcomes } = admission();
    expect((await ask(' '.repeat(MAX_BYTES + 1))).sent).to.match(
      /^HTTP\/1\.1 413 [^]*\r\n\r\nmore than 10000 bytes\n$/,
    );
    expect((await ask(reviewText().padEnd(MAX_BYTES))).sent).to.match(/^HTTP\/1\.1 200 /);
    expect(outcomes).to.deep.equal(['refused', 'allowed']);
  });

  describe('without memory', () => {
    const overMemory = /^HTTP\/1\.1 503 [^]*Retry-After: 1\r\n[^]*too many requests are held in memory at once\n$/;
    /** A budget of 100,000 bytes of which exchanges hold so many each. */
    const held = (...sizes: readonly number[]): MemoryBudget => {
      const memory = createMemoryBudget(100_000);
      for (const bytes of sizes) {
        const hold = memory.hold(() => expect.fail('evicted what is complete'));
        expect(hold.grow(bytes)).to.equal(true);
        hold.settle();
      }
      return memory;
    };

    it('for the review refuses it', async () => {
      const { ask, outcomes } = admission(() => allow(), held(75_000, 25_000));
      expect((await ask()).sent).to.match(overMemory);
      expect(outcomes).to.deep.equal(['refused']);
    });

    it('for the answer fails', async () => {
      const { ask, outcomes } = admission(() => ({ allowed: true, warnings: ['x'.repeat(80_000)] }), held(30_000));
      expect((await ask()).sent).to.match(overMemory);
      expect(outcomes).to.deep.equal(['failed']);
    });
  });

  it('holds no memory for a caller that went as its body ended', async () => {
    const memory = createMemoryBudget(100_000);
    const { begin, outcomes } = admission(() => allow(), memory);
    const one = begin();
    one.request.once('end', () => one.hangUp());
    one.complete(reviewText());
    await nextTurn();
    expect([outcomes, memory.heldBytes]).to.deep.equal([['aborted'], 0]);
  });

  it('remembers nothing of a review without objects', async () => {
    const originals = (globalThis as unknown as Record<symbol, ReadonlyMap<unknown, unknown>>)[
      Symbol.for('webhook-certd.originals')
    ];
    let remembered: unknown[] | null = null;
    const { ask } = admission(() => ((remembered = [...(originals?.keys() ?? [])]), allow()));
    await ask(reviewText({ object: null, oldObject: undefined }));
    expect(remembered).to.deep.equal([]);
    expect(originals?.size).to.equal(0);
  });
});

describe('the time of a handler', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
  afterEach(() => {
    mock.timers.reset();
    // The clock has published the mocked timers to all that import them.
    syncBuiltinESMExports();
  });

  /** A handler that answers when it is told to, with what it was given. */
  const pending = () => {
    const contexts: HandlerContext[] = [];
    const { promise, resolve } = Promise.withResolvers<AdmissionResponse>();
    const handler: AdmissionHandler = (_request, context) => (contexts.push(context), promise);
    return { handler, contexts, answer: () => resolve(allow()) };
  };

  it('is what the caller grants, less a margin and less what its body took', async () => {
    using clock = monotonicClock();
    const { handler, contexts } = pending();
    const { begin, outcomes } = admission(handler);
    const one = begin('/?timeout=10s');
    clock.nowMs += 4_000;
    one.complete(reviewText());
    await nextTurn();
    expect(contexts[0]?.deadlineMs).to.equal(1_000_000 + 5_500);
    mock.timers.tick(5_499);
    await nextTurn();
    expect(outcomes).to.deep.equal([]);
    mock.timers.tick(1);
    await nextTurn();
    expect(outcomes).to.deep.equal(['failed']);
    expect(await one.text()).to.match(/^HTTP\/1\.1 500 [^]*\r\n\r\nthe handler did not answer in time\n$/);
  });

  it('is over when its signal says so, also to a handler that asks for the signal later', async () => {
    const { handler, contexts } = pending();
    const { ask } = admission(handler);
    await ask(reviewText(), '/?timeout=1s');
    await ask(reviewText(), '/?timeout=1s');
    const [first, second] = contexts;
    expect(first?.signal.aborted).to.equal(false);
    mock.timers.tick(900);
    expect([first?.signal.aborted, second?.signal.aborted]).to.deep.equal([true, true]);
    expect(first?.signal).to.equal(first?.signal);
  });

  it('is not said to be over once it has answered, neither at the deadline nor when the connection closes', async () => {
    const { handler, contexts, answer } = pending();
    const { ask, outcomes } = admission(handler);
    const one = await ask(reviewText(), '/?timeout=1s');
    const signal = contexts[0]?.signal;
    answer();
    await nextTurn();
    expect(outcomes).to.deep.equal(['allowed']);
    mock.timers.tick(60_000);
    expect(signal?.aborted).to.equal(false);
    one.hangUp();
    expect(signal?.aborted).to.equal(false);
  });

  it('is over when its caller has gone', async () => {
    const { handler, contexts } = pending();
    const { ask, outcomes, lines } = admission(handler);
    const one = await ask();
    one.hangUp();
    await nextTurn();
    expect([contexts[0]?.signal.aborted, outcomes, lines]).to.deep.equal([true, ['aborted'], []]);
  });
});
