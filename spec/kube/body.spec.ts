import { expect } from 'chai';
import * as fc from 'fast-check';
import { concat, from, type Observable, take, throwError, toArray } from 'rxjs';
import { jsonLines } from '../../src/kube/body.ts';
import { Problem } from '../../streams/problem.ts';

interface Outcome {
  readonly values: readonly unknown[];
  readonly error: unknown;
}

const outcomeOf = (source$: Observable<Uint8Array>, maxLineBytes?: number): Outcome => {
  const values: unknown[] = [];
  let error: unknown = null;
  source$
    .pipe(jsonLines(maxLineBytes))
    .subscribe({ next: (one) => values.push(one), error: (thrown: unknown) => (error = thrown) });
  return { values, error };
};

/** The bytes cut at the given places, in any order, duplicates and all: an empty chunk is a chunk. */
const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
};

const line = fc.oneof(fc.jsonValue(), fc.record({ text: fc.string({ unit: 'binary' }) }));

describe('jsonLines', () => {
  it('yields the same values however the bytes are cut or joined', () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), fc.constantFrom('\n', '\r\n', '\n\n'), (values, places, end) => {
        const texts = values.map((value) => JSON.stringify(value));
        const bytes = Buffer.from(texts.map((text) => text + end).join(''));
        const expected = texts.map((text) => JSON.parse(text) as unknown);
        expect(outcomeOf(from(cut(bytes, places)))).to.deep.equal({ values: expected, error: null });
      }),
    );
  });

  it('takes a last line that has no newline', () => {
    expect(outcomeOf(from([Buffer.from('{"a":1}\n{"b"'), Buffer.from(':2}')])).values).to.deep.equal([
      { a: 1 },
      { b: 2 },
    ]);
  });

  it('never swallows a line: what it cannot read is a Problem, after the values before it', () => {
    const good = Buffer.from('{"a":1}\n');
    for (const [bad, why] of [
      [Buffer.from('{"a":\n'), 'not JSON'],
      [Buffer.from('{"cut sho'), 'not JSON'],
      [Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]), 'not UTF-8'],
    ] as const) {
      const { values, error } = outcomeOf(from([Buffer.concat([good, bad])]));
      expect(values).to.deep.equal([{ a: 1 }]);
      expect(error).to.be.instanceOf(Problem);
      expect((error as Problem).message).to.contain(why);
    }
  });

  it('gives up a line that is longer than it may be, before it has ended', () => {
    const chunk = Buffer.alloc(40, 'x');
    const { error } = outcomeOf(from([chunk, chunk, chunk]), 100);
    expect((error as Problem).message).to.equal('a line exceeds 100 bytes');
    const whole = Buffer.from(`"${'y'.repeat(98)}"\n`);
    expect(outcomeOf(from([whole, whole]), 100).values).to.have.length(2);
  });

  it('passes on an error of the source as it is', () => {
    const bug = new Error('bug');
    const source$ = concat(
      from([Buffer.from('1\n2')]),
      throwError(() => bug),
    );
    expect(outcomeOf(source$)).to.deep.equal({ values: [1], error: bug });
  });

  it('reads no further once nobody wants more', () => {
    const source$ = from([Buffer.from('1\n2\nnonsense\n')]).pipe(jsonLines(), take(2), toArray());
    const seen: unknown[] = [];
    source$.subscribe((values) => seen.push(values));
    expect(seen).to.deep.equal([[1, 2]]);
  });
});
