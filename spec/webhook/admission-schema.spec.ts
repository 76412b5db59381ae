import { expect } from 'chai';
import fc from 'fast-check';
import { readResponse, readReview } from '../../src/webhook/admission-schema.ts';
import { reviewText } from '../support/admission-review.ts';

/** Enough for any schema to have been compiled. */
const MANY = 300;

const often = <T>(ask: () => T): readonly T[] => Array.from({ length: MANY }, ask);
/** Each different outcome once; a value as text, a rejection as its messages. */
const outcomes = (results: ReturnType<typeof often<ReturnType<typeof readReview>>>): ReadonlySet<string> =>
  new Set(results.map(({ data, error }) => JSON.stringify(data ?? error.issues)));

describe('a schema compiled after many calls', () => {
  it('reads what it read before it was compiled, unknown fields included, and does not change its input', () => {
    const review = JSON.parse(reviewText()) as { request: Record<string, unknown> };
    review.request['unheardOf'] = { ['__proto__x']: [1, null] };
    const given = JSON.stringify(review);

    const [read = '', ...others] = outcomes(often(() => readReview(review)));
    expect(others).to.deep.equal([]);
    expect(JSON.parse(read)).to.deep.equal(review);
    expect(JSON.stringify(review)).to.equal(given);
  });

  it('refuses in the same words', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('uid', 'kind', 'operation', 'userInfo', 'object'), (value, field) => {
        const review = JSON.parse(reviewText()) as { request: Record<string, unknown> };
        review.request[field] = value;
        expect(outcomes(often(() => readReview(review))).size).to.equal(1);
      }),
      { numRuns: 20 },
    );
    const misspelt = new Set(
      often(() => readResponse({ alowed: true })).map(({ error }) => JSON.stringify(error?.issues)),
    );
    expect(misspelt.size).to.equal(1);
  });
});
