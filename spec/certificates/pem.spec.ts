import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { readBundle, readCertificates, splitPem, withoutByteOrderMark } from '../../src/certificates/pem.ts';
import { pki } from '../support/pki.ts';

const block = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

describe('splitPem', () => {
  it('takes blocks out of the text around them, with either line ending', () => {
    const text = `Bag Attributes\r\n\r\n${block('CERTIFICATE', 'AAEC\nAwQF').replaceAll('\n', '\r\n')}between\n${block('X', 'Bg==')}trailing junk`;

    expect(splitPem(text)).to.deep.equal([
      { label: 'CERTIFICATE', encrypted: false, der: Buffer.from([0, 1, 2, 3, 4, 5]), position: 1 },
      { label: 'X', encrypted: false, der: Buffer.from([6]), position: 2 },
    ]);
  });

  it('finds no block in nothing, in text and in bytes of any kind', () => {
    for (const text of ['', 'hello\n', Buffer.from([0, 255, 10, 128])]) expect(splitPem(text)).to.deep.equal([]);
  });

  it('allows blanks behind boundaries and around the lines of a body', () => {
    const text = '-----BEGIN X----- \t\n AA EC\t\nAw\tQF\f\n-----END X----- \n';
    expect(splitPem(text).map(({ der }) => der)).to.deep.equal([Buffer.from([0, 1, 2, 3, 4, 5])]);
  });

  it('finds a boundary at the start of a line only', () => {
    const text = `see -----BEGIN X-----\nand -----END X-----\n${block('X', 'AAEC')}`;
    expect(splitPem(text).map(({ position }) => position)).to.deep.equal([1]);
    for (const body of ['AA-----END X-----', '!Comment: x'])
      expect(() => splitPem(block('X', `AAEC\n${body}`)), body).to.throw('PEM block 1 is not whole base64');
  });

  it('passes over the headers of a block, of which only Proc-Type says that it is encrypted', () => {
    for (const header of ['Comment: ENCRYPTED', 'X-Proc-Type: 4,ENCRYPTED', 'Proc-Type: 4,MIC-ONLY'])
      expect(splitPem(block('X', `${header}\n\nAAEC`))[0], header).to.deep.include({
        encrypted: false,
        der: Buffer.from([0, 1, 2]),
      });
  });

  it('notices what is encrypted, in the old way and in the new', () => {
    const old = block('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\nAAEC');

    expect(splitPem(old + block('ENCRYPTED PRIVATE KEY', 'AAEC')).map(({ encrypted }) => encrypted)).to.deep.equal([
      true,
      true,
    ]);
  });

  it('says which block is malformed and how, without repeating any of it', () => {
    const secret = 'c2VjcmV0';
    const good = block('CERTIFICATE', secret);
    const malformed: readonly (readonly [string, string])[] = [
      [good.slice(0, -10), 'PEM block 1 does not end with the boundary it began with'],
      [good.slice(0, 35), 'PEM block 1 is cut off'],
      [good + block('CERTIFICATE', ''), 'PEM block 2 is empty'],
      [good + block('CERTIFICATE', `${secret}*`), 'PEM block 2 is not whole base64'],
      [block('CERTIFICATE', `${secret}c`), 'PEM block 1 is not whole base64'],
      [`-----BEGIN CERTIFICATE-----\n${secret}\n${good}`, 'PEM block 1 does not end with the boundary it began with'],
      ['-----END CERTIFICATE-----\n', 'PEM block 1 starts with a malformed boundary'],
      ['-----BEGIN CERTIFICATE----- junk\nAAEC\n', 'PEM block 1 starts with a malformed boundary'],
      [`-----BEGIN x ${block('CERTIFICATE', 'AAEC')}`, 'PEM block 1 starts with a malformed boundary'],
      [block('CERTIFICATE', 'AAECAAE*'), 'PEM block 1 is not whole base64'],
      [block('CERTIFICATE', '*AAECAAE'), 'PEM block 1 is not whole base64'],
      ['-----BEGIN CERTIFI', 'PEM block 1 starts with a malformed boundary'],
    ];
    for (const [text, message] of malformed) {
      expect(() => splitPem(text))
        .to.throw(message)
        .with.property('message')
        .that.does.not.include(secret);
    }
  });

  it('never makes another block out of a text that was cut anywhere', async () => {
    const { certificate, trust } = await pki.pair();
    const whole = Buffer.concat([certificate, trust]);
    const known = splitPem(whole).map(({ der }) => der.toString('hex'));
    for (let length = 0; length < whole.length; length += 1) {
      let blocks: readonly string[] = [];
      try {
        blocks = splitPem(whole.subarray(0, length)).map(({ der }) => der.toString('hex'));
      } catch {
        continue;
      }
      expect(known.slice(0, blocks.length)).to.deep.equal(blocks);
    }
  });
});

describe('readBundle', () => {
  const read = (name: string) => readFile(new URL(`../cases/external-ca-crt-half-readable/${name}`, import.meta.url));

  it('ignores a byte order mark', async () => {
    const { certificates, problems } = readBundle(await read('bom.pem'));
    expect([certificates.length, problems]).to.deep.equal([1, []]);
    const { trust } = await pki.pair();
    expect(readBundle(`\ufeff${trust.toString()}`).certificates).to.have.lengthOf(1);
    expect(withoutByteOrderMark(Buffer.from('\ufeffA'))).to.deep.equal(Buffer.from('A'));
    expect(withoutByteOrderMark(Buffer.from('ABC'))).to.deep.equal(Buffer.from('ABC'));
  });

  it('reads certificates only, and passes over keys', async () => {
    const { trust, key } = await pki.pair();
    const { certificates, problems } = readBundle(Buffer.concat([key, trust]));
    expect([certificates.length, problems]).to.deep.equal([1, []]);
  });

  it('numbers every block, and tells of one whose end belongs to another once', () => {
    const other = '-----BEGIN CERTIFICATE-----\nAAEC\n-----END X-----\n';
    expect(readBundle(other + block('CERTIFICATE', '') + block('CERTIFICATE', 'AAEC')).problems).to.deep.equal([
      'PEM block 1 does not end with the boundary it began with',
      'PEM block 2 is empty',
      'PEM block 3 is not an X.509 certificate',
    ]);
  });

  it('keeps the certificates around a broken block, and says which block is broken', async () => {
    const broken = await read('one-broken-block.pem');
    const { trust } = await pki.pair();
    const { certificates, problems } = readBundle(Buffer.concat([broken, trust]));
    expect(certificates).to.have.lengthOf(2);
    expect(problems).to.have.lengthOf(1);
    expect(problems[0]).to.match(/^PEM block 2 is /);
  });

  it('separates certificates that are joined without a line break', async () => {
    const [one, other] = await Promise.all([pki.pair(), pki.pair()]);
    const joined = `${one.trust.toString().trimEnd()}${other.trust.toString()}`;
    const { certificates, problems } = readBundle(joined);
    expect([certificates.length, problems]).to.deep.equal([2, []]);
  });

  it('begins again at the next certificate after one that was cut', async () => {
    const { trust } = await pki.pair();
    const { certificates, problems } = readBundle(`-----BEGIN CERTIFICATE-----\nAAEC\n${trust.toString()}`);
    expect(certificates).to.have.lengthOf(1);
    expect(problems).to.deep.equal(['PEM block 1 does not end with the boundary it began with']);
  });
});

describe('readCertificates', () => {
  it('fails with the error of OpenSSL as the cause', () => {
    expect(() => readCertificates(block('CERTIFICATE', 'AAEC')))
      .to.throw('PEM block 1 is not an X.509 certificate')
      .with.property('cause')
      .that.is.instanceOf(Error);
  });
});
