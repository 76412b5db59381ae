import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { type AdmissionOptions, createAdmission } from '../../src/webhook/admission.ts';
import type { AdmissionHandler, AdmissionRequest, HandlerContext } from '../../src/webhook/admission-types.ts';
import { allow, deny, jsonPatch } from '../../src/webhook/handler-api.ts';
import type { Outcome } from '../../src/webhook/request.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { until } from '../support/until.ts';
import { type Call, call } from '../support/webhook-call.ts';

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
    ['another method', { method: 'PUT' }, 405, /PUT is not answered here, only POST/],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 415, /application\/json/],
    ['a path nobody answers', { path: '/gone?timeout=1s' }, 404, /no handler for \/gone$/],
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
      /patch: expected the base64/,
    ],
    ['patches without a type', () => ({ allowed: true, patch: 'W10=' }), /patch and patchType go together/],
    ['denies with a patch', () => ({ allowed: false, patch: 'W10=', patchType: 'JSONPatch' }), /a denial cannot carry/],
    ['denies with success', () => ({ allowed: false, status: { code: 200 } }), /status.code/],
  ];
  for (const [what, handler, reason] of faults) {
    it(`answers 500 with the reason when a handler ${what}`, async () => {
      const { status, text, outcome } = await ask(handler as AdmissionHandler);
      expect([status, outcome]).to.deep.equal([500, 'failed']);
      expect(text.trim()).to.match(reason);
    });
  }

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
