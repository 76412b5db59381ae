type Content = Uint8Array | readonly number[];

/** Encodes one DER value around its contents, with a length in the shortest form. */
export const der = (tag: number, ...contents: readonly Content[]): Buffer => {
  const content = Buffer.concat(contents.map((each) => Buffer.from(each)));
  const { length } = content;
  const digits = length.toString(16);
  const octets = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | octets.length, ...octets];
  return Buffer.concat([Buffer.from(header), content]);
};

/** Encodes an object identifier given in dotted notation. */
export const oid = (dotted: string): Buffer => {
  const [root = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  const base128 = (arc: number): readonly number[] =>
    arc < 128 ? [arc] : [...base128(Math.floor(arc / 128)).map((byte) => byte | 0x80), arc % 128];
  return der(0x06, [root * 40 + second, ...arcs].flatMap(base128));
};
