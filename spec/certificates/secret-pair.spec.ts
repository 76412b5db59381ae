import { expect } from 'chai';
import { secretPair } from '../../src/certificates/secret-pair.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { type MountedPair, pki } from '../support/pki.ts';

const values = ({ certificate, key, trust }: MountedPair) => ({
  'tls.crt': certificate,
  'tls.key': key,
  'ca.crt': trust,
});

describe('secretPair', () => {
  it('tells the hash, the leaf, who signed it and what is trusted', async () => {
    const pair = await pki.pair();
    const looked = secretPair(values(pair));
    expect(looked.hash).to.equal(sha256Hex(pair.certificate));
    expect(looked.problem).to.equal(null);
    expect(looked.issuer).to.equal(looked.trust[0]?.fingerprint);
    expect(JSON.stringify(looked)).not.to.include('PRIVATE');
  });

  it('finds no issuer when the CA that signed is not in ca.crt', async () => {
    const [pair, other] = [await pki.pair(), await pki.pair()];
    expect(secretPair({ ...values(pair), 'ca.crt': other.trust }).issuer).to.equal(null);
    expect(secretPair({ 'tls.crt': pair.certificate, 'tls.key': pair.key }).issuer).to.equal(null);
  });

  it('finds the issuer of a certificate whose key is lost: replicas may be serving it', async () => {
    const [pair, other] = await Promise.all([pki.pair(), pki.pair()]);
    const { certificate, trust } = pair;
    for (const key of [{ 'tls.key': other.key }, { 'tls.key': Buffer.from('garbage') }, {}]) {
      const looked = secretPair({ 'tls.crt': certificate, 'ca.crt': trust, ...key });
      expect(looked.problem).to.match(/^tls\.key/);
      expect(looked.issuer).to.equal(looked.trust[0]?.fingerprint);
    }
  });

  it('takes a certificate that signed itself for its own issuer', async () => {
    const { certificatePem, keyPem } = await pki.authority();
    const self = secretPair({ 'tls.crt': Buffer.from(certificatePem), 'tls.key': Buffer.from(keyPem) });
    expect(self.issuer).to.equal(self.leaf?.fingerprint);
  });

  it('says what is wrong, and throws nothing, whatever is in there', async () => {
    const [pair, other] = [await pki.pair(), await pki.pair()];
    expect(secretPair({})).to.deep.include({ hash: null, problem: null });
    expect(secretPair({ ...values(pair), 'tls.key': other.key }).problem).to.equal(
      'tls.key belongs to another certificate',
    );
    expect(secretPair({ ...values(pair), 'tls.crt': Buffer.from('x') }).problem).to.match(/^tls\.crt/);
    expect(secretPair({ ...values(pair), 'tls.key': Buffer.from('x') }).problem).to.match(/^tls\.key/);
    expect(
      secretPair({ ...values(pair), 'ca.crt': Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA') }).trust,
    ).to.deep.equal([]);
  });
});
