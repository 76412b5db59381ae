import fc from 'fast-check';

type Edit = (bytes: Buffer) => Buffer;

/** A place in a text of any length. */
const place = fc.nat({ max: 1_000_000 }).map((millionths) => millionths / 1_000_000);
const index = (bytes: Buffer, at: number): number => Math.floor(at * bytes.length);

const splice = (bytes: Buffer, from: number, to: number, put: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, Math.min(from, to)), put, bytes.subarray(Math.max(from, to))]);

const range = fc.tuple(place, place);
const words = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('\n', '\r\n', '\r', '\0', ' ', '=', '{', '}', '[', '"', '\\', ':', ',', '-----', '\uffff', '\ufeff')
    .map((text) => Buffer.from(text)),
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([at, bit]): Edit => (bytes) => {
    const changed = Buffer.from(bytes);
    const byte = changed[index(bytes, at)];
    if (byte !== undefined) changed[index(bytes, at)] = byte ^ (1 << bit);
    return changed;
  }),
  place.map(
    (at): Edit =>
      (bytes) =>
        bytes.subarray(0, index(bytes, at)),
  ),
  range.map(
    ([from, to]): Edit =>
      (bytes) =>
        splice(bytes, index(bytes, from), index(bytes, to), Buffer.alloc(0)),
  ),
  fc.tuple(place, words).map(
    ([at, put]): Edit =>
      (bytes) =>
        splice(bytes, index(bytes, at), index(bytes, at), put),
  ),
  fc.tuple(range, place).map(([[from, to], at]): Edit => (bytes) => {
    const piece = bytes.subarray(
      Math.min(index(bytes, from), index(bytes, to)),
      Math.max(index(bytes, from), index(bytes, to)),
    );
    return splice(bytes, index(bytes, at), index(bytes, at), piece);
  }),
  fc.constantFrom<Edit>(
    (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
    (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r'), 'latin1'),
    (bytes) => Buffer.concat([bytes, bytes]),
    (bytes) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
    (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le'),
  ),
);

/** One of these with up to four edits: a bit flipped, cut, joined, repeated, something put in, other line ends. */
export const mutated = (seeds: readonly (string | Buffer)[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }))
    .map(([seed, edits]) => edits.reduce<Buffer>((bytes, change) => change(bytes), Buffer.from(seed)));
