import { expect } from 'chai';
import { readDer, readDerSequence, readOid } from '../../src/certificates/der.ts';
import { der } from '../support/der.ts';

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const contentLength = (value: Buffer): number | null => readDer(value)?.content.length ?? null;

describe('a DER value', () => {
  it('is read with its tag, its content and all of its bytes, and without what follows it', () => {
    const value = bytes(0x04, 2, 7, 8);
    expect(readDer(Buffer.concat([value, bytes(9, 9)]))).to.deep.equal({ tag: 4, bytes: value, content: bytes(7, 8) });
    expect(readDer(bytes(0x05, 0))).to.deep.equal({ tag: 5, bytes: bytes(0x05, 0), content: bytes() });
  });

  it('has a length of one byte below 128, and of up to three further bytes above', () => {
    for (const length of [0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000]) {
      const value = der(0x04, Buffer.alloc(length, 1));
      expect(contentLength(value), String(length)).to.equal(length);
      expect(readDer(value)?.bytes, String(length)).to.deep.equal(value);
    }
  });

  it('is refused with an indefinite length, one of four bytes, or one that is longer than need be', () => {
    const rest = Buffer.alloc(0x1000100);
    for (const header of [
      [0x04, 0x80],
      [0x04, 0x84, 1, 0, 0, 0],
      [0x04, 0x81, 0x7f],
      [0x04, 0x81, 0],
      [0x04, 0x82, 0, 0xff],
      [0x04, 0x82, 0, 1],
    ])
      expect(readDer(Buffer.concat([Buffer.from(header), rest])), header.join(' ')).to.equal(null);
  });

  it('is refused when it is cut anywhere, and never read beyond the end', () => {
    for (const value of [der(0x04, bytes(1, 2, 3)), der(0x04, Buffer.alloc(300)), der(0x04, Buffer.alloc(0x80))])
      for (let length = 0; length < value.length; length += 1)
        expect(readDer(value.subarray(0, length)), `${length} of ${value.length}`).to.equal(null);
  });

  it('is refused with a tag of several bytes', () => {
    for (const tag of [0x1f, 0x3f, 0xbf]) expect(readDer(bytes(tag, 1, 0)), String(tag)).to.equal(null);
  });
});

describe('a sequence of DER values', () => {
  it('is read in its order, and is empty without any', () => {
    const [first, second] = [bytes(0x04, 1, 7), bytes(0x05, 0)];
    const values = readDerSequence(Buffer.concat([first, second]));
    expect(values?.map((value) => value.bytes)).to.deep.equal([first, second]);
    expect(readDerSequence(bytes())).to.deep.equal([]);
  });

  it('is refused as a whole when its last value is cut', () => {
    expect(readDerSequence(bytes(0x05, 0, 0x04, 1))).to.equal(null);
  });
});

describe('an object identifier', () => {
  it('is read in dotted notation', () => {
    expect(readOid(bytes(0x55, 0x1d, 0x0e))).to.equal('2.5.29.14');
    expect(readOid(bytes(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b))).to.equal('1.2.840.113549.1.1.11');
    expect(readOid(bytes(0x00))).to.equal('0.0');
    expect(readOid(bytes(0x27))).to.equal('0.39');
    expect(readOid(bytes(0x28))).to.equal('1.0');
    expect(readOid(bytes(0x88, 0x37))).to.equal('2.999');
  });

  it('may have arcs of 48 bits, which are counted exactly, and none that is longer', () => {
    expect(readOid(bytes(0x2a, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))).to.equal(`1.2.${2 ** 48 - 1}`);
    expect(readOid(bytes(0x2a, 0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00))).to.equal('');
    expect(readOid(Buffer.concat([bytes(0x2a), Buffer.alloc(300, 0xff), bytes(0x7f)]))).to.equal('');
  });

  it('is refused when it is empty or ends within an arc', () => {
    expect(readOid(bytes())).to.equal('');
    for (const last of [0x80, 0x86]) expect(readOid(bytes(0x2a, last)), String(last)).to.equal('');
    expect(readOid(bytes(0x80))).to.equal('');
  });
});
