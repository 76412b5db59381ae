import { expect } from 'chai';
import { looksSecret, quoted, visibleText, withoutSecret } from '../../src/util/redact.ts';

const base64 = (...parts: readonly (string | readonly number[])[]): string =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString('base64');

const FILLER = 'x'.repeat(60);
/** The lengths that DER of an RSA key has in its last two bits decide on the letters of its base64. */
const LENGTHS = [0xb0, 0xb1, 0xb2, 0xb3] as const;
const RSA = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04, 0x82];
const CURVE = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] as const;
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln';

describe('a text that looks secret', () => {
  for (const length of LENGTHS) {
    it(`is a private key of RSA in base64, in PKCS#8 and in PKCS#1, whose length ends in ${length & 3}`, () => {
      expect(looksSecret(base64([0x30, 0x82, 0x04, length, 0x02, 0x01, 0x00], RSA, FILLER))).to.equal(true);
      expect(
        looksSecret(base64([0x30, 0x82, 0x04, length, 0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x01], FILLER)),
      ).to.equal(true);
    });
  }

  for (const [what, head] of [
    ['P-256', [0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, ...CURVE]],
    ['P-384', [0x30, 0x81, 0xb6, 0x02, 0x01, 0x00, 0x30, 0x10, ...CURVE]],
    ['P-521', [0x30, 0x81, 0xee, 0x02, 0x01, 0x00, 0x30, 0x10, ...CURVE]],
    ['P-256 without its public key, as of Java', [0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, ...CURVE]],
    ['P-384 without its public key', [0x30, 0x4e, 0x02, 0x01, 0x00, 0x30, 0x10, ...CURVE]],
    ['P-256 in SEC1', [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20]],
    ['P-256 in SEC1 without its public key', [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]],
    ['P-384 in SEC1', [0x30, 0x81, 0xa4, 0x02, 0x01, 0x01, 0x04, 0x30]],
    ['P-521 in SEC1', [0x30, 0x81, 0xdc, 0x02, 0x01, 0x01, 0x04, 0x42]],
    ['Ed25519', [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]],
    [
      'Ed25519 with its public key',
      [0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
    ],
  ] as const)
    it(`is a private key of ${what} in base64`, () => {
      expect(looksSecret(base64(head, FILLER))).to.equal(true);
    });

  it('is PEM, as it is and in base64 behind any number of bytes', () => {
    expect(looksSecret('of a Secret: -----BEGIN')).to.equal(true);
    for (const before of ['', 'a', 'ab']) expect(looksSecret(base64(before, '-----BEGIN ')), before).to.equal(true);
  });

  it('is a token, as it is and in base64', () => {
    expect(looksSecret(`token ${JWT}`)).to.equal(true);
    expect(looksSecret(JWT.split('.').slice(0, 2).join('.'))).to.equal(true);
    expect(looksSecret(base64(JWT))).to.equal(true);
    expect(looksSecret('eyJ_-aBcd.d_-Efg')).to.equal(true);
  });

  it('is what a header of HTTP authorizes with', () => {
    for (const header of [
      'Authorization: Bearer abcdefghijklmnopqrst',
      'authorization: basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      'bearer\tA0.~+/-_A0.~+/-_A0.~+/-_',
    ])
      expect(looksSecret(header), header).to.equal(true);
  });

  for (const [what, text] of [
    ['a certificate without its lines', base64([0x30, 0x82, 0x01, 0xa4, 0x30, 0x82, 0x01, 0x4a, 0xa0, 0x03], FILLER)],
    ['a hash', 'a1b2c3d4'.repeat(8)],
    ['one part of a token', 'eyJhbGciOiJSUzI1NiJ9'],
    ['a name that begins like a token', 'eyJab.example.com'],
    ['a name within which a token would begin', 'keyJournal.directory-of-names'],
    ['a short second part', 'eyJhbGciOiJ.eyJzd'],
    ['talk of bearers', 'bearer authentication required'],
    ['talk of what is basic', 'the basic-configuration-of-a-cluster'],
    ['a word that ends in basic', 'nonbasic abcdefghijklmnopqrstuvw'],
    ['four dashes', '---- BEGIN'],
  ] as const)
    it(`is not ${what}`, () => {
      expect(looksSecret(text)).to.equal(false);
      expect(withoutSecret(text)).to.equal(text);
    });

  it('is left out as a whole', () => {
    expect(withoutSecret(`the token is ${JWT}`)).to.equal('[redacted]');
    expect(quoted(`the token is ${JWT}`)).to.equal('"[redacted]"');
  });
});

describe('a text that is shown', () => {
  it('has what a terminal would interpret as escapes of JSON', () => {
    expect(visibleText('a"b\\c\nd\te\u0000f')).to.equal(String.raw`a\"b\\c\nd\te\u0000f`);
    for (const [char, text] of [
      ['\u001f', '001f'],
      ['\u007f', '007f'],
      ['\u009b', '009b'],
      ['\u009f', '009f'],
      ['\u2028', '2028'],
      ['\u202e', '202e'],
      ['\u2066', '2066'],
      ['\u2069', '2069'],
      ['\ufeff', 'feff'],
    ] as const) {
      expect(visibleText(`a${char}b`)).to.equal(`a\\u${text}b`);
      expect(JSON.parse(`"${visibleText(char)}"`)).to.equal(char);
    }
    for (const char of [' ', '~', '\u00a0', 'ä', '…', '\u2027', '\u202f', '\u2065', '\u206a'])
      expect(visibleText(char)).to.equal(char);
  });

  it('is in quotes, shortened to 80 characters', () => {
    expect(quoted('9443"')).to.equal(String.raw`"9443\""`);
    expect(quoted('é'.repeat(80))).to.equal(`"${'é'.repeat(80)}"`);
    expect(quoted('é'.repeat(81))).to.equal(`"${'é'.repeat(79)}…"`);
  });

  it('has no user and password of a URL, whatever the password contains', () => {
    for (const [text, shown] of [
      ['https://user:pass@example.com/path', 'https://***@example.com/path'],
      ['HTTPS://user:p@ss@example.com', 'HTTPS://***@example.com'],
      ['git+ssh2.x-y://user:a\nb@example.com', 'git+ssh2.x-y://***@example.com'],
      ['user:pass@example.com', '***@example.com'],
      ['1https://user@example.com', '***@example.com'],
      [' https://user@example.com', '***@example.com'],
      ['https://example.com', 'https://example.com'],
    ] as const)
      expect(quoted(text)).to.equal(`"${shown}"`);
  });
});
