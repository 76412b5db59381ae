import { expect } from 'chai';
import fc from 'fast-check';
import { concat, from, type Observable, of, throwError } from 'rxjs';
import { decodeSecret } from '../../src/cluster/decode.ts';
import { leaseSchema } from '../../src/cluster/lease-codec.ts';
import { jsonLines, readLines } from '../../src/kube/body.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Part } from '../../src/kube/exchange.ts';
import { watchObjects } from '../../src/kube/watch-objects.ts';
import { Problem } from '../../streams/problem.ts';
import type { WatchFrame } from '../../streams/watch-port.ts';
import { type FuzzLaw, fuzzLaw } from './fuzz-law.ts';
import { mutated } from './mutated.ts';

/** In place of 16 MiB. */
const LONGEST_BYTES = 32;
const annotations = {
  'kubetemplater.io/cert-ready': 'true',
  'kubetemplater.io/cert-hash': 'ab'.repeat(32),
  other: 'ünïcödé 🦊',
};
const object = {
  kind: 'Lease',
  metadata: { uid: 'u', name: 'l', resourceVersion: '8', annotations },
  spec: { holderIdentity: 'é' },
};
const lines = [
  { type: 'ADDED', object },
  { type: 'MODIFIED', object },
  { type: 'DELETED', object },
  { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
  { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } },
  { type: 'ERROR', object: { kind: 'Status', code: 500, message: 'x' } },
].map((line) => `${JSON.stringify(line)}\n`);

const stream = fc.oneof(
  fc.array(fc.constantFrom(...lines.slice(0, 4)), { maxLength: 8 }).map((some) => Buffer.from(some.join(''))),
  fc
    .array(
      fc.oneof(
        { arbitrary: fc.constantFrom(...lines).map((line) => Buffer.from(line)), weight: 3 },
        mutated(lines),
        fc.constantFrom('\n', '\r\n', ' \n', '\0\n', 'null\n', '[]\n', '{}\n').map((line) => Buffer.from(line)),
      ),
      { maxLength: 8 },
    )
    .map((some) => Buffer.concat(some)),
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
);
const places = fc.array(fc.nat(), { maxLength: 40 });

const cut = (bytes: Buffer, at: readonly number[]): readonly Buffer[] => {
  const ends = [...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
};
const everyByte = (bytes: Buffer): readonly Buffer[] => cut(bytes, [...bytes.keys()]);

interface Outcome {
  readonly frames: readonly WatchFrame<unknown>[];
  readonly error: string | null;
}

const parsers: readonly ((object: unknown) => unknown)[] = [
  (one) => leaseSchema('kubetemplater.io', 'webhook-certd').parse(one),
  decodeSecret,
];

/** What a watch makes of a body that comes in these pieces, and ends well or is cut. */
const outcomeOf = (pieces: readonly Buffer[], parse: (object: unknown) => unknown, breaks: boolean): Outcome => {
  const chunks = pieces.map((bytes): Part => ({ type: 'chunk', bytes }));
  const ending$: Observable<Part> = breaks ? throwError(() => new Problem('the connection broke')) : of();
  const client = { stream: () => readLines.read(concat(of<Part>({ type: 'opened' }), from(chunks), ending$)) };
  const watch = watchObjects(client as unknown as KubeClient, {
    path: '/apis/coordination.k8s.io/v1/namespaces/n/leases',
    parse,
    timeoutSeconds: () => 60,
  });
  const frames: WatchFrame<unknown>[] = [];
  let thrown: unknown = null;
  watch.watch('1').subscribe({ next: (frame) => frames.push(frame), error: (error: unknown) => (thrown = error) });
  // What is no Problem would end the daemon. Thrown in the callback it would not reach the property.
  if (thrown !== null) expect(thrown).to.be.instanceOf(Problem);
  return { frames, error: thrown === null ? null : (thrown as Problem).message };
};

export const watchLines: readonly FuzzLaw[] = [
  fuzzLaw(
    'give the same events, and the same end, however the stream is cut or joined',
    fc.property(stream, places, fc.constantFrom(...parsers), fc.boolean(), (bytes, at, parse, breaks) => {
      const whole = outcomeOf([bytes], parse, breaks);
      expect(outcomeOf(cut(bytes, at), parse, breaks)).to.deep.equal(whole);
      expect(outcomeOf(everyByte(bytes), parse, breaks)).to.deep.equal(whole);
    }),
  ),
  fuzzLaw(
    'that are garbage end the watch with a problem of one short line, after every event before them',
    fc.property(fc.array(fc.constantFrom(...lines.slice(0, 4)), { maxLength: 5 }), stream, places, (good, bad, at) => {
      const [parse = String] = parsers;
      const before = outcomeOf([Buffer.from(good.join(''))], parse, false);
      const { frames, error } = outcomeOf(cut(Buffer.concat([Buffer.from(good.join('')), bad]), at), parse, false);
      expect(frames.slice(0, before.frames.length)).to.deep.equal(before.frames);
      if (error === null) return;
      expect(error).to.not.match(/[\r\n]/);
      expect(error.length).to.be.below(1_000);
    }),
  ),
  fuzzLaw(
    'are given up as soon as one is longer than it may be, and at the same one however they are cut',
    fc.property(fc.array(fc.nat(40), { maxLength: 6 }), places, (lengths, at) => {
      const bytes = Buffer.from(lengths.map((length) => `"${'x'.repeat(length)}"\n`).join(''));
      const tooLong = lengths.findIndex((length) => length + 2 > LONGEST_BYTES);
      const values: unknown[] = [];
      let error: unknown = null;
      from(cut(bytes, at))
        .pipe(jsonLines(LONGEST_BYTES))
        .subscribe({ next: (value) => values.push(value), error: (thrown: unknown) => (error = thrown) });
      expect(values).to.have.lengthOf(tooLong === -1 ? lengths.length : tooLong);
      if (tooLong === -1) expect(error).to.equal(null);
      else expect(error).to.be.instanceOf(Problem);
    }),
  ),
];
