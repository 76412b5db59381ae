import { expect } from 'chai';
import * as fc from 'fast-check';
import { concat, from, lastValueFrom, type Observable, take, throwError, toArray } from 'rxjs';
import { jsonLines, readJson, readLines } from '../../src/kube/body.ts';
import type { Part } from '../../src/kube/exchange.ts';
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

const MIB = 1024 * 1024;
const spaces = (length: number): Uint8Array => Buffer.alloc(length, ' ');

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

  it('takes a line of 16 MiB and no longer one', () => {
    const half = spaces(8 * MIB);
    expect(outcomeOf(from([half, half])).error).to.equal(null);
    expect((outcomeOf(from([half, half, spaces(1)])).error as Problem).message).to.equal(
      `a line exceeds ${16 * MIB} bytes`,
    );
  });

  it('says how long the text is that it cannot read, and nothing of the text', () => {
    const messageOf = (...bytes: number[]) => (outcomeOf(from([Buffer.from(bytes)])).error as Problem).message;
    expect(messageOf(0x78, 0x79, 0x7a)).to.equal('response of 3 bytes is not JSON');
    expect(messageOf(0x22, 0xc3, 0x28, 0x22)).to.equal('response of 4 bytes is not UTF-8');
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

const partsOf = (...chunks: readonly (string | Uint8Array)[]): Observable<Part> =>
  from<Part[]>([
    { type: 'opened' },
    ...chunks.map((chunk) => ({
      type: 'chunk' as const,
      bytes: typeof chunk === 'string' ? Buffer.from(chunk) : chunk,
    })),
  ]);

describe('the body of a response', () => {
  const whole = (...chunks: readonly (string | Uint8Array)[]) => lastValueFrom(readJson(partsOf(...chunks)));
  const problemOf = (...chunks: readonly Uint8Array[]) =>
    whole(...chunks).then(
      () => null,
      (error: unknown) => error,
    );

  it('is one JSON value, in however many chunks it comes, and null when it is empty', async () => {
    expect(await whole('{"a"', ':', '[1]}')).to.deep.equal({ a: [1] });
    expect(await whole('{"n"', ':1}')).to.deep.equal({ n: 1 });
    for (const chunks of [[], [''], [' \n', '\t']]) expect(await whole(...chunks), chunks.join()).to.equal(null);
    expect(await whole('false')).to.equal(false);
  });

  it('has at most 64 MiB', async () => {
    const half = spaces(32 * MIB);
    expect(await problemOf(half, half)).to.equal(null);
    expect(await problemOf(half, half, spaces(1)))
      .to.be.instanceOf(Problem)
      .and.include({ message: `response exceeds ${64 * MIB} bytes` });
  });

  it('of a watch is its opening, and then a value for each line', async () => {
    expect(await lastValueFrom(readLines(partsOf('{"a":1}\n{"b"', ':2}\n')).pipe(toArray()))).to.deep.equal([
      { type: 'opened' },
      { type: 'line', value: { a: 1 } },
      { type: 'line', value: { b: 2 } },
    ]);
  });
});
