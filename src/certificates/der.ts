/** One DER value. `bytes` is the value with its tag and length, `content` without them. */
export interface DerValue {
  readonly tag: number;
  readonly bytes: Buffer;
  readonly content: Buffer;
}

/** Tags of the values that a certificate is made of (X.690). */
export const DER_TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

/** Certificates have lengths of at most three bytes; 16 MiB is far beyond the 1 MiB of a Secret. */
const MAX_LENGTH_BYTES = 3;

const lengthAt = (bytes: Buffer): { readonly header: number; readonly length: number } | null => {
  const first = bytes[1];
  if (first === undefined) return null;
  if (first < 0x80) return { header: 2, length: first };
  const count = first & 0x7f;
  if (count === 0 || count > MAX_LENGTH_BYTES || bytes.length < 2 + count) return null;
  const length = bytes.readUIntBE(2, count);
  // DER allows the shortest form only.
  return length < 0x80 || (bytes[2] ?? 0) === 0 ? null : { header: 2 + count, length };
};

/** Reads the first DER value, or null when the bytes do not begin with a whole one. Never throws. */
export const readDer = (bytes: Buffer): DerValue | null => {
  const tag = bytes[0];
  // A tag number of 31 or more takes further bytes; no part of a certificate has one.
  if (tag === undefined || (tag & 0x1f) === 0x1f) return null;
  const read = lengthAt(bytes);
  if (read === null || bytes.length < read.header + read.length) return null;
  const end = read.header + read.length;
  return { tag, bytes: bytes.subarray(0, end), content: bytes.subarray(read.header, end) };
};

/** Reads the values that follow one another in a content, or null when it does not consist of whole ones. */
export const readDerSequence = (content: Buffer): readonly DerValue[] | null => {
  const values: DerValue[] = [];
  for (let rest = content; rest.length > 0;) {
    const value = readDer(rest);
    if (value === null) return null;
    values.push(value);
    rest = rest.subarray(value.bytes.length);
  }
  return values;
};

/** Reads an object identifier in dotted notation; empty when the content is malformed. */
export const readOid = (content: Buffer): string => {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    if (arc > 0x1ffffffffff) return '';
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - root * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  return (content.at(-1) ?? 0x80) >= 0x80 ? '' : arcs.join('.');
};
