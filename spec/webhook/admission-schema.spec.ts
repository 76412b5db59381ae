import { expect } from 'chai';
import fc from 'fast-check';
import { isReview, readResponse, readReview, reviewSchema } from '../../src/webhook/admission-schema.ts';
import { reviewText } from '../support/admission-review.ts';

/** Enough for any schema to have been compiled. */
const MANY = 300;

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
});

describe('a schema compiled after many calls', () => {
  it('reads what it read before it was compiled, and refuses in the same words', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('allowed', 'status', 'warnings', 'patch', 'alowed'),
        (value, field) => {
          expect(outcomes(often(() => readResponse({ allowed: false, [field]: value }))).size).to.equal(1);
        },
      ),
      { numRuns: 20 },
    );
    expect(outcomes(often(() => readResponse({ alowed: true }))).size).to.equal(1);
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
