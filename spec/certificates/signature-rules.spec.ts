import type { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { ParsedX509 } from '../../src/certificates/parse-x509.ts';
import { publicKeyError, signatureError } from '../../src/certificates/signature-rules.ts';
import { der, oid } from '../support/der.ts';

const errorOf = (signatureOid: string, signatureParameters: Buffer = Buffer.alloc(0)): string | null =>
  signatureError({ signatureOid, signatureParameters } as unknown as ParsedX509);

const RSA_PSS = '1.2.840.113549.1.1.10';
const UNIMPLEMENTED = 'x509: cannot verify signature: algorithm unimplemented';
/** 2.16.840.1.101.3.4.2.N: SHA-256, SHA-384, SHA-512 and, as the fourth, SHA-224. */
const hash = (last: number): Buffer => der(0x30, oid(`2.16.840.1.101.3.4.2.${last}`));
const pss = (last: number, salt: readonly number[]): Buffer =>
  der(0x30, der(0xa0, hash(last)), der(0xa2, der(0x02, salt)));

describe('the signature on a certificate', () => {
  it('is accepted by the algorithms that Go verifies: SHA-2 with RSA or ECDSA, and Ed25519', () => {
    for (const algorithm of [
      ...[11, 12, 13].map((last) => `1.2.840.113549.1.1.${last}`),
      ...[2, 3, 4].map((last) => `1.2.840.10045.4.3.${last}`),
      '1.3.101.112',
    ])
      expect(errorOf(algorithm), algorithm).to.equal(null);
  });

  it('is refused by its name where its algorithm is insecure', () => {
    for (const [algorithm, name] of [
      ['1.2.840.113549.1.1.2', 'MD2-RSA'],
      ['1.2.840.113549.1.1.4', 'MD5-RSA'],
      ['1.2.840.113549.1.1.5', 'SHA1-RSA'],
      ['1.3.14.3.2.29', 'SHA1-RSA'],
      ['1.2.840.10045.4.1', 'ECDSA-SHA1'],
    ] as const)
      expect(errorOf(algorithm), algorithm).to.equal(`x509: cannot verify signature: insecure algorithm ${name}`);
  });

  it('is refused where Go does not know its algorithm: SHA-224, Ed448', () => {
    for (const algorithm of ['1.2.840.113549.1.1.14', '1.2.840.10045.4.3.1', '1.3.101.113'])
      expect(errorOf(algorithm), algorithm).to.equal(UNIMPLEMENTED);
  });

  it('is accepted as RSA-PSS with a hash of SHA-2 and a salt as long as it', () => {
    for (const [last, bytes] of [
      [1, 32],
      [2, 48],
      [3, 64],
    ] as const)
      expect(errorOf(RSA_PSS, pss(last, [bytes])), String(bytes)).to.equal(null);
  });

  it('is refused as RSA-PSS with any other salt or hash, and with parameters that say neither', () => {
    for (const [why, parameters] of [
      ['another salt', pss(1, [20])],
      ['the salt of another hash', pss(2, [32])],
      ['a salt of two bytes', pss(1, [32, 0])],
      ['SHA-224', pss(4, [28])],
      ['no parameters', Buffer.alloc(0)],
      ['no fields', der(0x30)],
      ['no hash', der(0x30, der(0xa2, der(0x02, [32])))],
      ['no salt', der(0x30, der(0xa0, hash(1)))],
      ['a hash that is no identifier', der(0x30, der(0xa0, der(0x30, der(0x02, [1]))), der(0xa2, der(0x02, [32])))],
      ['a salt that is no number', der(0x30, der(0xa0, hash(1)), der(0xa2, der(0x04, [32])))],
    ] as const)
      expect(errorOf(RSA_PSS, parameters), why).to.equal(UNIMPLEMENTED);
  });

  it('is not accepted for parameters of RSA-PSS beside another algorithm', () => {
    expect(errorOf('1.3.101.113', pss(1, [32]))).to.equal(UNIMPLEMENTED);
  });
});

describe('the public key of a certificate', () => {
  const errorOfKey = (asymmetricKeyType?: string, asymmetricKeyDetails?: object): string | null =>
    publicKeyError({ publicKey: { asymmetricKeyType, asymmetricKeyDetails } } as unknown as X509Certificate);

  it('is accepted on the curves that Go knows, as Ed25519, and as RSA of 1024 bits or more', () => {
    for (const namedCurve of ['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1'])
      expect(errorOfKey('ec', { namedCurve }), namedCurve).to.equal(null);
    expect(errorOfKey('ed25519')).to.equal(null);
    expect(errorOfKey('rsa', { modulusLength: 1024 })).to.equal(null);
  });

  it('is refused in the words of Go otherwise', () => {
    for (const details of [{ namedCurve: 'secp256k1' }, undefined])
      expect(errorOfKey('ec', details)).to.equal('x509: unsupported elliptic curve');
    expect(errorOfKey('rsa', { modulusLength: 1023 })).to.equal('crypto/rsa: 1023-bit keys are insecure');
    expect(errorOfKey('rsa')).to.equal('crypto/rsa: 0-bit keys are insecure');
    expect(errorOfKey('dsa')).to.equal('x509: unsupported public key algorithm dsa');
    expect(errorOfKey()).to.equal('x509: unsupported public key algorithm unknown');
  });

  it('is refused where Node cannot load it', () => {
    const certificate = {
      get publicKey(): never {
        throw new Error('unsupported');
      },
    };
    expect(publicKeyError(certificate as unknown as X509Certificate)).to.equal(
      'x509: unsupported public key algorithm unknown',
    );
  });
});
