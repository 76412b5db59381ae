import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { keyMismatch, privateKey } from '../../src/certificates/private-key.ts';
import { verifyPair } from '../../src/certificates/verify-pair.ts';
import { type MountedPair, pki } from '../support/pki.ts';

const pemOf = ({ privateKey: key }: { readonly privateKey: KeyObject }): string =>
  key.export({ type: 'pkcs8', format: 'pem' });
const keyProblem = (pem: string | Uint8Array): string | null => {
  const reading = privateKey(pem);
  return reading.ok ? null : reading.detail;
};

describe('a private key that cannot be used', () => {
  it('is refused with what is wrong with it, and none of its text', async () => {
    expect(keyProblem('no key')).to.equal('it holds no PEM private key');
    expect(keyProblem((await pki.pair()).certificate)).to.equal('it holds no PEM private key');
    const { key } = await pki.encryptedKey();
    expect(privateKey(key)).to.deep.equal({
      ok: false,
      reason: 'key-encrypted',
      detail: 'it is protected by a passphrase',
    });
    const broken = '-----BEGIN PRIVATE KEY-----\nTm8ga2V5\n-----END PRIVATE KEY-----\n';
    expect(keyProblem(broken)).to.equal('it is not a readable private key');
  });

  it('is refused by the name of its curve or its type where the API server cannot verify it', () => {
    const type = 'the API server cannot verify keys of type';
    expect(keyProblem(pemOf(generateKeyPairSync('ed448')))).to.equal(`${type} ed448`);
    expect(keyProblem(pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })))).to.equal(
      'the API server cannot verify keys on secp256k1',
    );
  });

  it('is told from one that belongs to a later certificate of the chain', async () => {
    const [one, other] = await Promise.all([pki.pair(), pki.pair()]);
    const [first, second] = [one, other].map(({ certificate }) => new X509Certificate(certificate));
    const reading = privateKey(one.key);
    if (!reading.ok || first === undefined || second === undefined) return expect.fail('refused');
    expect(keyMismatch([first, second], reading.key)).to.equal(null);
    expect(keyMismatch([second], reading.key)).to.equal('tls.key belongs to another certificate');
    expect(keyMismatch([second, first], reading.key)).to.equal(
      'tls.crt is in the wrong order: tls.key belongs to certificate 2, which must be the first',
    );
  });
});

describe('a pair that is refused', () => {
  const refusal = (files: MountedPair, nowMs = Date.now()): string | null => {
    const expected = { hash: files.hash, generation: 'g', names: pki.names, nowMs, external: false };
    const verdict = verifyPair(files, expected);
    return verdict.ok ? null : `${verdict.reason}: ${verdict.detail}`;
  };

  it('names the file and what is wrong with it', async () => {
    const good = await pki.pair();
    expect(refusal(pki.mounted('', good.key, good.trust))).to.equal('not-pem: tls.crt holds no PEM certificate');
    expect(refusal({ ...good, key: Buffer.from('no key') })).to.equal(
      'key-unusable: tls.key: it holds no PEM private key',
    );
    expect(refusal(await pki.torn())).to.match(/^not-pem: tls\.crt: ./);
    expect(refusal({ ...good, trust: Buffer.alloc(0) })).to.contain('ca.crt holds no certificate');
  });

  it('is good from the first millisecond of its validity to the last one before its end', async () => {
    const good = await pki.pair();
    const { validFromDate, validToDate } = new X509Certificate(good.certificate);
    const [fromMs, toMs] = [validFromDate.getTime(), validToDate.getTime()];
    expect(refusal(good, fromMs)).to.equal(null);
    expect(refusal(good, toMs - 1)).to.equal(null);
    expect(refusal(good, fromMs - 1)).to.equal(`not-yet-valid: valid from ${validFromDate.toISOString()} only`);
    expect(refusal(good, toMs)).to.equal(`expired: expired at ${validToDate.toISOString()}`);
  });
});
