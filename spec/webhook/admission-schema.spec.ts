import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod/mini';
import {
  faults,
  isReview,
  lazilyCompiled,
  readResponse,
  readReview,
  reviewSchema,
} from '../../src/webhook/admission-schema.ts';
import { reviewText } from '../support/admission-review.ts';

/** Enough for any schema to have been compiled. */
const MANY = 300;

const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';

const often = <T>(ask: () => T): readonly T[] => Array.from({ length: MANY }, ask);
/** Each different outcome once; a value as text, a rejection as its messages. */
const outcomes = (results: ReturnType<typeof often<ReturnType<typeof readResponse>>>): ReadonlySet<string> =>
  new Set(results.map(({ data, error }) => JSON.stringify(data ?? error.issues)));

describe('reading a review', () => {
  it('keeps unknown fields, and does not change its input', () => {
    const review = JSON.parse(reviewText()) as { request: Record<string, unknown> };
    review.request['unheardOf'] = { ['__proto__x']: [1, null] };
    const given = JSON.stringify(review);

    expect(readReview(review).data).to.deep.equal(JSON.parse(given));
    expect(JSON.stringify(review)).to.equal(given);
  });

  it('leaves out what is null, in lists as well, but not in the objects under review', () => {
    const nulls = { kept: [{ a: null, b: [null, 1] }] };
    const review = {
      name: null,
      object: nulls,
      oldObject: nulls,
      options: nulls,
      future: [{ a: null, b: [{ c: null }, null] }],
    };
    const { data } = readReview(JSON.parse(reviewText(review)));
    expect(data?.request).to.deep.include({
      ...{ object: nulls, oldObject: nulls, options: nulls },
      future: [{ b: [{}, null] }],
    });
    expect(data?.request).not.to.have.property('name');
  });
});

describe('what is wrong with a review', () => {
  const wrong = (value: unknown): string => {
    const { error } = readReview(value);
    return error === undefined ? '' : faults(error);
  };

  it('is told with its place, and without one where it is the whole', () => {
    expect(wrong(7)).to.equal('Invalid input: expected object, received number');
    expect(wrong(JSON.parse(reviewText({ uid: 7 })))).to.equal(
      'request.uid: Invalid input: expected string, received number',
    );
  });

  it('is told in five faults at most', () => {
    const many = { uid: 1, name: 1, namespace: 1, dryRun: 1, subResource: 1, operation: 1 };
    expect(wrong(JSON.parse(reviewText(many))).split('; ')).to.have.length(5);
  });
});

describe('reading an answer', () => {
  const messages = (answer: unknown): readonly string[] =>
    (readResponse(answer, UID).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  const unknown = (key: string) => `: Unrecognized key: "${key}"`;

  it('takes one of `allowed` alone as it is', () => {
    for (const allowed of [true, false]) {
      const answer = { allowed };
      expect(readResponse(answer, UID).data).to.equal(answer);
    }
    expect(messages({ '': true })).to.include(unknown(''));
  });

  it('takes a field that is undefined for absent, known or not', () => {
    expect(readResponse({ allowed: true, warnings: undefined, unheardOf: undefined }, UID).data).to.deep.equal({
      allowed: true,
    });
  });

  it('takes the uid of the request, and no other field with the same value', () => {
    expect(readResponse({ allowed: true, uid: UID }, UID).data).to.deep.equal({ allowed: true });
    expect(messages({ allowed: true, uid: 'other' })).to.deep.equal([unknown('uid')]);
    expect(messages({ allowed: true, id: UID })).to.deep.equal([unknown('id')]);
  });

  it('takes the response out of a whole review only where the answer itself does not say whether it admits', () => {
    expect(readResponse({ response: { allowed: false } }, UID).data).to.deep.equal({ allowed: false });
    expect(messages({ allowed: true, response: { allowed: false } })).to.deep.equal([unknown('response')]);
  });

  it('refuses a review whose response is none', () => {
    for (const response of [null, 7, 'text', [true]])
      expect(messages({ response })[0], String(response)).to.match(/^: Invalid input: expected object, received /);
  });

  it('reads the fields that the API server ignores only where it does', () => {
    const patch = { patch: '[]', patchType: 'JSONPatch' };
    const isPatchRefused = (allowed: unknown) =>
      messages({ allowed, ...patch }).some((text) => text.startsWith('patch: '));
    expect([true, false, 'yes', undefined].map(isPatchRefused)).to.deep.equal([true, false, true, true]);
    const status = { code: 'text' };
    const isStatusRefused = (allowed: unknown) =>
      messages({ allowed, status }).some((text) => text.startsWith('status.code: '));
    expect([true, false, 'yes', undefined].map(isStatusRefused)).to.deep.equal([false, true, true, true]);
  });

  it('takes every operation of a JSON Patch, and a path with escaped characters only', () => {
    const operations = [
      ...['add', 'replace', 'test'].map((op) => ({ op, path: '/a~0b~1c/-', value: null })),
      { op: 'remove', path: '' },
      ...['move', 'copy'].map((op) => ({ op, path: '/a', from: '/b' })),
    ];
    for (const operation of operations)
      expect(messages({ allowed: true, patch: [operation] }), JSON.stringify(operation)).to.deep.equal([]);
    for (const path of ['/a~2', '/~', 'a'])
      expect(messages({ allowed: true, patch: [{ op: 'remove', path }] })).to.deep.equal([
        'patch.0.path: expected a JSON Pointer like /metadata/labels',
      ]);
  });

  it('refuses an operation of a patch that is none, with its place', () => {
    for (const patch of [[null], ['add'], [7]])
      expect(messages({ allowed: true, patch })[0]).to.match(/^patch\.0: Invalid input: expected object/);
    const { error } = readResponse({ allowed: true, patch: [{ op: 'remove', path: '/a' }, { op: 'remove' }] }, UID);
    expect(error?.issues).to.have.length(1);
    expect(error?.issues[0]).to.deep.include({ code: 'custom', path: ['patch', 1, 'path'] });
  });
});

describe('a schema compiled after many calls', () => {
  it('is compiled once, at the 200th', () => {
    let [calls, compiledAt] = [0, [] as number[]];
    const compile = <T>(schema: T): T => {
      compiledAt = [...compiledAt, calls];
      return schema;
    };
    const read = lazilyCompiled(z.boolean(), compile);
    for (calls = 1; calls <= 500; calls += 1) expect(read(true).success).to.equal(true);
    expect(compiledAt).to.deep.equal([200]);
  });

  it('reads what it read before it was compiled, and refuses in the same words', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('allowed', 'status', 'warnings', 'patch', 'alowed'),
        (value, field) => {
          expect(outcomes(often(() => readResponse({ allowed: false, [field]: value }, UID))).size).to.equal(1);
        },
      ),
      { numRuns: 20 },
    );
    expect(outcomes(often(() => readResponse({ alowed: true }, UID))).size).to.equal(1);
  });
});

const GROUP_VERSION = { group: '', version: 'v1', kind: 'Pod', resource: 'pods' };
const values = [null, true, 0, '', 'CREATE', [], ['a'], [1], {}, GROUP_VERSION, { a: ['b'] }, { a: [1] }, { a: 'b' }];

type Path = readonly string[];
const isFields = (value: unknown): value is Record<string, unknown> => value?.constructor === Object;
const pathsIn = (value: unknown, path: Path = []): readonly Path[] => [
  path,
  ...(isFields(value) ? Object.entries(value).flatMap(([key, field]) => pathsIn(field, [...path, key])) : []),
];
const replaced = (value: unknown, [key, ...rest]: Path, by: unknown): unknown =>
  key === undefined || !isFields(value) ? by : { ...value, [key]: replaced(value[key], rest, by) };

describe('the short check of a review', () => {
  it('accepts exactly what its schema accepts, with any field of a review absent or of another type', () => {
    const whole: unknown = JSON.parse(
      reviewText({
        subResource: 'scale',
        requestKind: GROUP_VERSION,
        requestResource: GROUP_VERSION,
        requestSubResource: 'scale',
        userInfo: { username: 'a', uid: 'b', groups: ['c'], extra: { d: ['e'] } },
        dryRun: false,
        options: {},
      }),
    );
    const reviews = [undefined, ...values].flatMap((value) =>
      pathsIn(whole).map(
        (path) => JSON.parse(JSON.stringify({ of: replaced(whole, path, value) })) as { of?: unknown },
      ),
    );
    const verdicts = reviews.map(({ of }) => isReview(of));
    expect(verdicts).to.deep.equal(reviews.map(({ of }) => reviewSchema.safeParse(of).success));
    expect(new Set(verdicts)).to.deep.equal(new Set([true, false]));
  });
});
