import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { type AdmissionOptions, createAdmission } from '../../src/webhook/admission.ts';
import type {
  AdmissionHandler,
  AdmissionRequest,
  AdmissionResponse,
  HandlerContext,
} from '../../src/webhook/admission-types.ts';
import { allow, deny, jsonPatch, mutate } from '../../src/webhook/handler-api.ts';
import { createMemoryBudget, type Outcome, readBody } from '../../src/webhook/request.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { until } from '../support/until.ts';
import { type Call, call, dial, heard } from '../support/webhook-call.ts';

describe('admission', () => {
  const ask = async (handler: AdmissionHandler, how: Partial<Call> = {}, options: Partial<AdmissionOptions> = {}) => {
    const outcomes: Outcome[] = [];
    const answer = createAdmission({
      route: (path) => (path === '/gone' ? undefined : handler),
      maxRequestBytes: 10_000,
      log: quietLog,
      onAnswered: (outcome, elapsedMs) => {
        expect(elapsedMs).to.be.within(0, 5_000);
        outcomes.push(outcome);
      },
      ...options,
    });
    await using open = await openServer({ answer });
    const { status, text, headers } = await call({ port: open.port, path: '/validate', body: reviewText(), ...how });
    await until(() => outcomes.length > 0);
    return { status, text, headers, outcome: outcomes[0] };
  };
  const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';

  for (const version of ['v1', 'v1beta1']) {
    it(`answers ${version} with ${version} and echoes the uid`, async () => {
      const { status, text, headers, outcome } = await ask(() => allow(), { body: reviewText({}, version) });
      expect([status, headers['content-type'], outcome]).to.deep.equal([200, 'application/json', 'allowed']);
      expect(JSON.parse(text)).to.deep.equal({
        apiVersion: `admission.k8s.io/${version}`,
        kind: 'AdmissionReview',
        response: { uid, allowed: true },
      });
    });
  }

  it('gives the handler the request as the API server wrote it, unknown fields included', async () => {
    const seen: AdmissionRequest[] = [];
    await ask((request) => (seen.push(request), allow()), { body: reviewText({ future: 1 }) });
    const written = JSON.parse(reviewText({ future: 1 })) as { readonly request: unknown };
    expect(seen[0]).to.deep.equal(written.request);
  });

  it('passes on a denial with message and code, warnings and audit annotations', async () => {
    const remarks = { warnings: ['old'], auditAnnotations: { rule: 'seven' } };
    const { text, outcome } = await ask(() => Promise.resolve(deny('no', 422, remarks)));
    expect(outcome).to.equal('denied');
    expect(JSON.parse(text)).to.have.deep.property('response', {
      uid,
      allowed: false,
      status: { message: 'no', code: 422 },
      ...remarks,
    });
  });

  it('passes on a patch in base64', async () => {
    const { text } = await ask(() => jsonPatch([{ op: 'add', path: '/data/é', value: '1' }]));
    const { response } = JSON.parse(text) as {
      readonly response: { readonly patch: string; readonly patchType: string };
    };
    expect(response.patchType).to.equal('JSONPatch');
    expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).to.deep.equal([
      { op: 'add', path: '/data/é', value: '1' },
    ]);
  });

  const refusals: readonly (readonly [string, Partial<Call>, number, RegExp])[] = [
    ['another method', { method: 'PUT' }, 405, /PUT is not served: webhooks are called by POST/],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 415, /application\/json/],
    ['a path without a handler', { path: '/gone?timeout=1s' }, 404, /no handler for \/gone$/],
    ['no JSON', { body: '{' }, 400, /not JSON/],
    ['no body', { body: '' }, 400, /not JSON/],
    [
      'another kind of object',
      { body: '{"kind":"Pod","apiVersion":"v1"}' },
      400,
      /not an AdmissionReview: apiVersion: /,
    ],
    ['a review without a uid', { body: reviewText({ uid: undefined }) }, 400, /request.uid: /],
    ['a review of an unknown version', { body: reviewText({}, 'v2') }, 400, /apiVersion: /],
    [
      'a ConversionReview',
      { body: '{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{}}' },
      400,
      /^WEBHOOK_HANDLER serves AdmissionReviews only; a webhook for ConversionReviews runs behind UPSTREAM_URL$/,
    ],
    [
      'a compressed body',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync(reviewText()) },
      415,
      /^Content-Encoding gzip is not supported: send the body uncompressed$/,
    ],
    ['an object that is none', { body: reviewText({ object: [1] }) }, 400, /request.object: expected an object/],
    ['too large a body', { body: ' '.repeat(10_001) }, 413, /more than 10000 bytes/],
  ];
  for (const [what, how, status, reason] of refusals) {
    it(`refuses ${what} with ${status} and says why`, async () => {
      const answer = await ask(() => allow(), how);
      expect(answer.status).to.equal(status);
      expect(answer.text.trim()).to.match(reason);
      expect(answer.outcome).to.equal('refused');
    });
  }

  it('says which method it takes, and takes a charset', async () => {
    expect((await ask(() => allow(), { method: 'GET', body: '' })).headers['allow']).to.equal('POST');
    const { status } = await ask(() => allow(), { headers: { 'content-type': 'Application/JSON; charset=utf-8' } });
    expect(status).to.equal(200);
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const faults: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['throws', () => { throw new Error('boom'); }, /^the handler failed: boom$/], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('boom')), /^the handler failed: boom$/],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    ['rejects with what is no error', () => Promise.reject('boom'), /^the handler failed: boom$/],
    ['returns nothing', () => undefined, /^the handler's answer is not an AdmissionResponse: /],
    ['misspells', () => ({ alowed: true }), /allowed: .*; .*alowed/],
    [
      'patches with no base64',
      () => ({ allowed: true, patch: '[]', patchType: 'JSONPatch' }),
      /patch: expected an array of JSON Patch operations, or the base64 of one; return allow\(\)/,
    ],
    ['patches without a type', () => ({ allowed: true, patch: 'W10=' }), /patch and patchType go together/],
    ['answers for another request', () => ({ allowed: true, uid: 'other' }), /uid/],
    [
      'patches with an operation that is none',
      () => ({ allowed: true, patch: [{ op: 'nope', path: '' }] }),
      /patch.0.op: /,
    ],
    ['patches without a path', () => ({ allowed: true, patch: [{ op: 'remove' }] }), /patch.0.path: /],
    [
      'patches at no pointer',
      () => ({ allowed: true, patch: [{ op: 'remove', path: 'a' }] }),
      /patch.0.path: expected a JSON P/,
    ],
    ['moves from nowhere', () => ({ allowed: true, patch: [{ op: 'move', path: '/a' }] }), /patch.0.from: /],
    ['adds no value', () => ({ allowed: true, patch: [{ op: 'add', path: '/a' }] }), /patch.0.value: expected a value/],
    [
      'patches with an operation that is none, in base64',
      () => ({ allowed: true, patch: Buffer.from('[{"op":"nope"}]').toString('base64'), patchType: 'JSONPatch' }),
      /patch.0.op: /,
    ],
    [
      'answers with a bigint',
      () => ({ allowed: false, status: { code: 403, details: 1n } }),
      /cannot be written as JSON: .*BigInt/,
    ],
    [
      'answers with a cycle',
      () => ({ allowed: false, status: cycle }),
      /cannot be written as JSON: Converting circular/,
    ],
  ];
  for (const [what, handler, reason] of faults) {
    it(`answers 500 with the reason when a handler ${what}`, async () => {
      const { status, text, outcome } = await ask(handler as AdmissionHandler);
      expect([status, outcome]).to.deep.equal([500, 'failed']);
      expect(text.trim()).to.match(reason);
    });
  }

  const patch = [{ op: 'add', path: '/data/a', value: '1' }];
  const base64 = Buffer.from(JSON.stringify(patch)).toString('base64');
  const patched = { allowed: true, patch: base64, patchType: 'JSONPatch' };
  const accepted: readonly (readonly [string, unknown, object])[] = [
    ['an admission with a status', { allowed: true, status: { code: 200, message: 'ok' } }, { allowed: true }],
    ['fields that are undefined', { allowed: true, status: undefined, warnings: undefined }, { allowed: true }],
    ['fields that are null', { allowed: true, status: null, patch: null, patchType: null }, { allowed: true }],
    ['remarks that are undefined', allow({ warnings: undefined } as never), { allowed: true }],
    ['the uid of the request', { uid, allowed: true }, { allowed: true }],
    [
      'a whole review',
      { apiVersion: 'v1', kind: 'AdmissionReview', response: { uid, allowed: true } },
      { allowed: true },
    ],
    ['a patch as an array', { allowed: true, patch }, patched],
    ['a patch as an array with its type', { allowed: true, patch, patchType: 'JSONPatch' }, patched],
    ['a patch in base64', patched, patched],
    ['an empty patch', { allowed: true, patch: '' }, { allowed: true }],
    ['a denial with a patch', { ...patched, allowed: false }, { allowed: false }],
    ['a denial with success', { allowed: false, status: { code: 200 } }, { allowed: false, status: { code: 200 } }],
    ['a denial without details', { allowed: false, status: { code: undefined } }, { allowed: false, status: {} }],
  ];
  for (const [what, response, read] of accepted)
    it(`accepts ${what}, as the API server does`, async () => {
      const { status, text } = await ask(() => response as never);
      expect([status, JSON.parse(text)]).to.deep.equal([
        200,
        { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...read } },
      ]);
    });

  it('takes null for absent, as Go does, and leaves the objects as they are', async () => {
    const seen: AdmissionRequest[] = [];
    const object = { data: { kept: null } };
    const userInfo = { username: 'admin', groups: null, extra: { scopes: null, others: ['a'] } };
    const nulls = { name: null, namespace: null, dryRun: null, options: null, requestKind: null, oldObject: null };
    const { status } = await ask((request) => (seen.push(request), allow()), {
      body: reviewText({ ...nulls, userInfo, object }),
    });
    expect(status).to.equal(200);
    expect(seen[0]).to.deep.include({ object, userInfo: { username: 'admin', extra: { others: ['a'] } } });
    expect(seen[0]).not.to.have.any.keys('name', 'namespace', 'dryRun', 'requestKind');
  });

  it('gives the handler the path of the call', async () => {
    const paths: string[] = [];
    await ask((_request, { path }) => (paths.push(path), allow()), { path: '/mutate?timeout=10s' });
    expect(paths).to.deep.equal(['/mutate']);
  });

  const edit = (object: unknown) => Object.assign((object as { data: Record<string, string> }).data, { key: 'new' });
  const edited: readonly (readonly [string, AdmissionHandler])[] = [
    ['the same object twice', ({ object }) => (edit(object), mutate(object, object))],
    ['the edited object and a copy of it', ({ object }) => (edit(object), mutate(object, structuredClone(object)))],
    ['the same object twice, and later', async ({ object }) => (await delay(1), edit(object), mutate(object, object))],
  ];
  for (const [what, handler] of edited)
    it(`finds the changes that a handler made in place when mutate is given ${what}`, async () => {
      const { text } = await ask(handler);
      const { response } = JSON.parse(text) as { readonly response: { readonly patch: string } };
      expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).to.deep.equal([
        { op: 'replace', path: '/data/key', value: 'new' },
      ]);
    });

  const ends: readonly (readonly [string, AdmissionHandler])[] = [
    ['answered', () => allow()],
    ['replaced the object', (request) => (Object.assign(request, { object: null, oldObject: {} }), allow())],
    ['thrown', () => Promise.reject(new Error('no'))],
    ['not answered in time', () => new Promise(() => undefined)],
  ];
  for (const [what, handler] of ends)
    it(`keeps no object of a request once a handler has ${what}`, async () => {
      const body = reviewText({ oldObject: { data: {} } });
      await ask(handler, { body, path: '/validate?timeout=20ms' });
      const kept = (globalThis as unknown as Record<symbol, ReadonlyMap<object, unknown>>)[
        Symbol.for('webhook-certd.originals')
      ];
      expect(kept?.size).to.equal(0);
    });

  it('writes no patch when a handler changed nothing', async () => {
    const { text } = await ask(({ object }) => mutate(object, object));
    expect(JSON.parse(text)).to.have.deep.property('response', { uid, allowed: true });
  });

  it('keeps the memory of all exchanges bounded, and serves honest calls beside many slow ones', async () => {
    const memory = createMemoryBudget(1_000_000);
    const answer = createAdmission({ route: () => () => allow(), maxRequestBytes: 500_000, log: quietLog, memory });
    await using open = await openServer({ answer });
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n';
    const slow = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const socket = await dial(open.port);
        const answered = heard(socket);
        socket.write(head);
        socket.write(Buffer.alloc(399_999, 32));
        return { socket, answered };
      }),
    );
    await until(() => open.server.connections < 6);
    expect(memory.heldBytes).to.be.within(399_999, 750_000);
    for (let calls = 0; calls < 20; calls += 1)
      expect((await call({ port: open.port, body: reviewText() })).status).to.equal(200);
    for (const { socket } of slow) socket.destroy();
    const answers = await Promise.all(slow.map(({ answered }) => answered));
    const refused = answers.filter((text) => text !== '');
    expect(refused.length).to.be.at.least(8);
    for (const text of refused) expect(text).to.match(/^HTTP\/1.1 503 [^]*Retry-After: 1\r\n/);
    await until(() => memory.heldBytes === 0);
  });

  it('reads no more of a body for which there is no memory', async () => {
    const memory = createMemoryBudget(1_000_000);
    const held = memory.hold(() => undefined);
    held.grow(1_000_000);
    held.settle();
    const admit = createAdmission({ route: () => () => allow(), maxRequestBytes: 2 ** 26, log: quietLog, memory });
    let bytesRead = 0;
    const answer: RequestListener = (request, response) => {
      response.once('close', () => (bytesRead = request.socket.bytesRead));
      admit(request, response);
    };
    await using open = await openServer({ answer });
    const socket = await dial(open.port);
    socket.on('error', () => undefined);
    const answered = heard(socket);
    const size = 2 ** 25;
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, 32));
    expect(await answered).to.match(/^HTTP\/1.1 503 /);
    await until(() => bytesRead > 0);
    expect(bytesRead).to.be.lessThan(size / 16);
  });

  it('keeps a quarter of the memory for requests of the usual size, whatever complete large ones hold', () => {
    const memory = createMemoryBudget(1_000_000);
    const evicted = (): never => {
      throw new Error('a complete body is never evicted');
    };
    const large = memory.hold(evicted);
    expect(large.grow(750_000)).to.equal(true);
    large.settle();
    const second = memory.hold(evicted);
    expect([second.grow(65_536), second.grow(1)]).to.deep.equal([true, false]);
    second.settle();
    const third = memory.hold(evicted);
    expect([third.grow(65_536), third.grow(65_536)]).to.deep.equal([true, false]);
  });

  it('evicts no request of the usual size for a large one, which is large from its first byte on', () => {
    const memory = createMemoryBudget(1_000_000);
    const evicted: string[] = [];
    const complete = memory.hold(() => evicted.push('complete'), 700_000);
    complete.grow(450_000);
    complete.settle();
    const usual = memory.hold(() => evicted.push('usual'), 40_000);
    expect(usual.grow(40_000)).to.equal(true);
    const first = memory.hold(() => evicted.push('first'), 700_000);
    expect(first.grow(16_000), 'no other large one to evict').to.equal(false);
    const large = memory.hold(() => evicted.push('large'), 700_000);
    expect([large.grow(5_000), large.grow(16_000)], 'within half').to.deep.equal([true, false]);
    expect(evicted).to.deep.equal([]);
    const others = Array.from({ length: 8 }, () => memory.hold(() => evicted.push('other'), 63_500));
    expect(others.every((other) => other.grow(63_500))).to.equal(true);
    expect(evicted).to.deep.equal(['large']);
  });

  it('refuses a large request rather than evict another large one that began less than half a second ago', () => {
    let nowMs = 0;
    const memory = createMemoryBudget(1_000_000, () => nowMs);
    const evicted: string[] = [];
    const first = memory.hold(() => evicted.push('first'), 700_000);
    expect(first.grow(450_000)).to.equal(true);
    nowMs = 499;
    expect(memory.hold(() => undefined, 700_000).grow(100_000)).to.equal(false);
    expect(evicted).to.deep.equal([]);
    nowMs = 500;
    expect(memory.hold(() => undefined, 700_000).grow(100_000)).to.equal(true);
    expect(evicted).to.deep.equal(['first']);
  });

  it('evicts nothing for a body that has been refused already, when the rest of it has been read', async () => {
    let nowMs = 0;
    const memory = createMemoryBudget(1_000_000, () => nowMs);
    const evicted: string[] = [];
    memory.hold(() => evicted.push('other'), 700_000).grow(300_000);
    nowMs = 1_000;
    const request = Object.assign(Readable.from([Buffer.alloc(90_000)]), { headers: {} });
    const { body } = await readBody(request as unknown as IncomingMessage, 80_000, memory, 50);
    request.resume();
    await once(request, 'close');
    expect([body, evicted]).to.deep.equal(['too-large', []]);
  });

  it('holds what a body will take once it is parsed before its pieces are joined', async () => {
    const memory = createMemoryBudget(1_000_000);
    memory.hold(() => undefined).grow(400_000);
    const request = Object.assign(Readable.from([Buffer.alloc(50_000), Buffer.alloc(50_000)]), { headers: {} });
    const { body } = await readBody(request as unknown as IncomingMessage, 1_000_000, memory, 5);
    expect(body).to.equal('no-memory');
    expect(memory.heldBytes).to.equal(400_000);
  });

  it('keeps a quarter beside a large request that exceeds the whole limit by itself', () => {
    const memory = createMemoryBudget(1_000_000);
    const none = () => undefined;
    const alone = memory.hold(none, 400_000);
    expect([alone.grow(400_000), (alone.settle(), alone.grow(1_600_000))]).to.deep.equal([true, true]);
    const usual = Array.from({ length: 5 }, () => {
      const one = memory.hold(none, 60_000);
      const isHeld = one.grow(60_000);
      one.settle();
      return isHeld;
    });
    expect(usual).to.deep.equal([true, true, true, true, false]);
  });

  it('counts what a pending handler holds until its exchange ends', async () => {
    const memory = createMemoryBudget(10_000);
    const release = Promise.withResolvers<AdmissionResponse>();
    const answer = createAdmission({
      route: () => () => release.promise,
      maxRequestBytes: 10_000,
      log: quietLog,
      memory,
    });
    await using open = await openServer({ answer });
    const pending = [0, 1].map(() => call({ port: open.port, body: reviewText() }));
    await until(() => memory.heldBytes > 6_000);
    const refused = await call({ port: open.port, body: reviewText() });
    expect([refused.status, refused.headers['retry-after']]).to.deep.equal([503, '1']);
    release.resolve(allow());
    for (const { status } of await Promise.all(pending)) expect(status).to.equal(200);
    await until(() => memory.heldBytes === 0);
  });

  it('writes nothing to a connection that a time limit has ended while the handler was asked', async () => {
    const outcomes: Outcome[] = [];
    const answer = createAdmission({
      route: () => () => delay(600, allow()),
      maxRequestBytes: 10_000,
      log: quietLog,
      onAnswered: (outcome) => outcomes.push(outcome),
    });
    await using open = await openServer({ answer, limits: { exchangeTimeoutMs: 100, requestTimeoutMs: 100 } });
    const caught: unknown[] = [];
    const onError = (error: unknown) => caught.push(error);
    process.on('uncaughtException', onError);
    const failed = await call({ port: open.port, body: reviewText() }).then(
      ({ status }) => String(status),
      (error: unknown) => String(error),
    );
    await until(() => outcomes.length === 1);
    await delay(50);
    process.off('uncaughtException', onError);
    expect(caught).to.deep.equal([]);
    expect(failed).to.match(/hang up|ECONNRESET/);
  });

  it('answers 500 in time when a handler is late, and tells it', async () => {
    const contexts: HandlerContext[] = [];
    const start = performance.now();
    const slow: AdmissionHandler = async (_request, context) => {
      contexts.push(context);
      await delay(1_000, null, { signal: context.signal }).catch(() => undefined);
      return allow();
    };
    const { status, text } = await ask(slow, { path: '/?timeout=200ms' });
    expect(performance.now() - start).to.be.within(170, 600);
    expect([status, text.trim()]).to.deep.equal([500, 'the handler did not answer in time']);
    expect(contexts[0]?.signal.aborted).to.equal(true);
    expect((contexts[0]?.deadlineMs ?? 0) - Date.now()).to.be.within(-1_000, 0);
  });

  it('holds a handler to the ceiling when the caller grants more', async () => {
    const { status } = await ask(() => new Promise(() => undefined), { path: '/?timeout=30s' }, { ceilingMs: 50 });
    expect(status).to.equal(500);
  });

  it('tells a handler when its caller has gone', async () => {
    const outcomes: Outcome[] = [];
    let called = false;
    let aborted = false;
    const handler: AdmissionHandler = (_request, { signal }) => {
      called = true;
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => undefined);
    };
    const answer = createAdmission({
      route: () => handler,
      maxRequestBytes: 10_000,
      log: quietLog,
      onAnswered: (outcome) => outcomes.push(outcome),
    });
    await using open = await openServer({ answer });
    const abort = new AbortController();
    const pending = call({ port: open.port, body: reviewText(), signal: abort.signal }).catch(() => 'gone');
    await until(() => called);
    abort.abort();
    expect(await pending).to.equal('gone');
    await until(() => outcomes.length === 1);
    expect([aborted, outcomes]).to.deep.equal([true, ['aborted']]);
  });

  it('answers any JSON whatever with 200 or 400', async () => {
    const answer = createAdmission({ route: () => () => allow(), maxRequestBytes: 100_000, log: quietLog });
    await using open = await openServer({ answer });
    const request = JSON.parse(reviewText()) as Record<string, Record<string, unknown>>;
    const broken = fc
      .tuple(fc.constantFrom(...Object.keys(request['request'] ?? {})), fc.jsonValue())
      .map(([field, value]) => JSON.stringify({ ...request, request: { ...request['request'], [field]: value } }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), broken), async (body) => {
        expect((await call({ port: open.port, body })).status).to.be.oneOf([200, 400]);
      }),
      { numRuns: 100 },
    );
  });
});
