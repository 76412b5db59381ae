import { expect } from 'chai';
import fc from 'fast-check';
import { createAdmission } from '../../src/webhook/admission.ts';
import type { AdmissionHandler } from '../../src/webhook/admission-types.ts';
import { allow } from '../../src/webhook/handler-api.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { call } from '../support/webhook-call.ts';
import { type FuzzLaw, openedLaw } from './fuzz-law.ts';
import { mutated } from './mutated.ts';

interface Hosted extends AsyncDisposable {
  readonly port: number;
  /** What the next request meets. */
  handler: AdmissionHandler;
}

const host = async (): Promise<Hosted> => {
  const hosted = { handler: (() => allow()) as AdmissionHandler };
  const handler: AdmissionHandler = (request, context) => hosted.handler(request, context);
  const answer = createAdmission({ route: () => handler, maxRequestBytes: 200_000, ceilingMs: 2_000, log: quietLog });
  const open = await openServer({ answer });
  return Object.assign(hosted, { port: open.port, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() });
};

interface Reviewed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: { readonly uid: string; readonly allowed: boolean };
}

/** Version and uid as the sender of these bytes would read them. */
const asked = (body: Buffer): { readonly apiVersion: unknown; readonly uid: unknown } => {
  const review = JSON.parse(body.toString('utf8')) as {
    readonly apiVersion?: unknown;
    readonly request?: { readonly uid?: unknown };
  };
  return { apiVersion: review.apiVersion, uid: review.request?.uid };
};

const nested = fc
  .nat(50_000)
  .map((depth) =>
    reviewText({ object: { deep: 0 } }).replace('"deep":0', `"deep":${'['.repeat(depth)}${']'.repeat(depth)}`),
  );
const bodies = fc.oneof(
  mutated([reviewText(), reviewText({}, 'v1beta1'), reviewText({ operation: 'DELETE', object: null })]),
  fc.string({ unit: 'binary', minLength: 1 }).map((uid) => Buffer.from(reviewText({ uid }))),
  fc
    .constantFrom('\\ud800', '\\u0000', '\\u2028', '__proto__')
    .map((uid) => Buffer.from(reviewText({ uid: 'UID' }).replace('UID', uid))),
  fc.jsonValue().map((value) => Buffer.from(reviewText({ object: { value } }))),
  nested.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
);

const boom = (): never => {
  throw new Error('boom');
};
/* eslint-disable @typescript-eslint/only-throw-error, @typescript-eslint/prefer-promise-reject-errors -- others do */
const hostile = fc.constantFrom<() => unknown>(
  () => ({
    get allowed(): boolean {
      return boom();
    },
  }),
  () => new Proxy({}, { get: boom, ownKeys: boom, getPrototypeOf: boom }),
  () => ({ then: boom }),
  () => ({
    then: (resolve: (value: unknown) => void) => {
      resolve({ allowed: true });
      boom();
    },
  }),
  () => ({ then: () => undefined, allowed: true }),
  () => {
    throw Object.create(null);
  },
  () => {
    throw Symbol('s');
  },
  () => {
    throw Object.defineProperty(new Error('x'), 'message', { get: boom });
  },
  () => {
    throw Object.defineProperty(new Error('x'), 'message', { value: Symbol('m') });
  },
  () => {
    throw new Proxy(new Error('x'), { get: boom, getPrototypeOf: boom });
  },
  () => Promise.reject(Object.defineProperty(new Error('x'), 'message', { get: boom })),
  () => Promise.reject(undefined),
  () => ({ allowed: true, auditAnnotations: { a: 'x'.repeat(300_000) } }),
  () => ({ allowed: true, warnings: ['\ud800', '\0', '\r\nX: 1'] }),
  () => ({ allowed: false, status: { message: '\r\n\r\n', code: 400, details: 10n } }),
  () => {
    const self: Record<string, unknown> = { allowed: false };
    self['status'] = { message: 'm', self };
    return self;
  },
);
/* eslint-enable */
const answers = fc.oneof(
  hostile,
  fc
    .anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withTypedArray: true,
      withSparseArray: true,
    })
    .map((value) => () => value),
  fc
    .record(
      {
        allowed: fc.oneof(fc.boolean(), fc.anything()),
        status: fc.anything(),
        warnings: fc.anything(),
        auditAnnotations: fc.anything(),
        patch: fc.anything(),
        patchType: fc.anything(),
      },
      { requiredKeys: ['allowed'] },
    )
    .map((value) => () => value),
);

export const admission: readonly FuzzLaw[] = [
  openedLaw('of any bytes is answered with its own version and uid, or refused with 400 or 413', host, (hosted) =>
    fc.asyncProperty(bodies, async (body) => {
      hosted.handler = () => allow();
      const { status, text } = await call({ port: hosted.port, body });
      expect(status).to.be.oneOf([200, 400, 413]);
      if (status !== 200) return;
      const { apiVersion, kind, response } = JSON.parse(text) as Reviewed;
      expect({ apiVersion, uid: response.uid }).to.deep.equal(asked(body));
      expect({ kind, allowed: response.allowed }).to.deep.equal({ kind: 'AdmissionReview', allowed: true });
    }),
  ),
  openedLaw('is answered with a whole review or with 500 whatever its handler throws or returns', host, (hosted) =>
    fc.asyncProperty(answers, async (answer) => {
      hosted.handler = answer as AdmissionHandler;
      const { status, text } = await call({
        port: hosted.port,
        body: reviewText({ uid: 'mine' }),
        path: '/?timeout=1s',
      });
      expect(status).to.be.oneOf([200, 500]);
      if (status === 200) expect((JSON.parse(text) as Reviewed).response.uid).to.equal('mine');
    }),
  ),
];
