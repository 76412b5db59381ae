import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { secretPair } from '../../src/certificates/secret-pair.ts';
import { verifyPair } from '../../src/certificates/verify-pair.ts';
import { decodeCa, decodeSecret } from '../../src/cluster/decode.ts';
import { initialState, unreadyReasons } from '../../src/status/replica-state.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { clusterOf } from '../support/cluster-of.ts';

const file = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));

const secretOf = (values: Readonly<Record<string, Buffer>>) => ({
  metadata: { resourceVersion: '1' },
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.toString('base64')])),
});

const ROOT = file('intermediate-as-the-ca/root.crt');
const NAME = 'kubetemplater-webhook-service.hooks.svc';

describe('a CA that Go refuses, in SECRET-ca', () => {
  const refused = {
    'negative-serial': 'ca.crt is refused by Go: x509: negative serial number',
    'inhibit-any-policy': 'ca.crt is refused by Go: x509: unhandled critical extension (2.5.29.54)',
  };
  for (const [name, reason] of Object.entries(refused))
    it(`signs nothing, is not overwritten, and the reason names Go: ${name}`, () => {
      const folder = 'ready-but-go-refuses-the-ca';
      const values = { 'ca.crt': file(`${folder}/${name}.crt`), 'ca.key': file(`${folder}/${name}.key`) };
      expect(decodeCa(secretOf(values))).to.include({ current: null, foreign: reason });
    });
});

describe('an intermediate with its root behind it, in SECRET-ca', () => {
  it('signs', () => {
    const folder = 'intermediate-as-the-ca';
    const values = { 'ca.crt': Buffer.concat([file(`${folder}/ca.crt`), ROOT]), 'ca.key': file(`${folder}/ca.key`) };
    const { current, foreign } = decodeCa(secretOf(values));
    expect([current?.subject, foreign]).to.deep.equal(['CN=corp-intermediate', null]);
  });
});

describe('ca.crt of an external issuer with a byte order mark', () => {
  it('is read as if it had none', () => {
    const { trust, trustProblems } = decodeSecret(
      secretOf({ 'ca.crt': file('external-ca-crt-half-readable/bom.pem') }),
    );
    expect(trust).to.have.lengthOf(1);
    expect(trustProblems).to.deep.equal([]);
  });
});

describe('an external pair that cannot be used', () => {
  const folder = 'external-pair-refused-in-silence';
  const certificate = file(`${folder}/wrong-order.crt`);
  const unusable = {
    'leaf.key': 'tls.crt is in the wrong order: tls.key belongs to certificate 2, which must be the first',
    'encrypted.key': 'tls.key: it is protected by a passphrase',
  };
  for (const [name, reason] of Object.entries(unusable)) {
    const key = file(`${folder}/${name}`);

    it(`has its reason in the Secret's state and in the readiness of the leader: ${name}`, () => {
      const secret = decodeSecret(secretOf({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': ROOT }));
      expect(secret).to.include({ problem: reason, leaf: null, foreign: null });
      const readiness = { ready: false, reasons: ['no-announcement'], served: null } as const;
      expect(
        unreadyReasons({ ...initialState(0), readiness, observation: { ...clusterOf.observed({}), secret } }),
      ).to.deep.equal([`no-announcement: the Secret cannot be used: ${reason}`]);
    });

    it(`is rejected by a replica for the same reason: ${name}`, () => {
      const result = verifyPair(
        { certificate, key, trust: ROOT },
        { hash: sha256Hex(certificate), generation: 'g', names: [NAME], nowMs: Date.now(), external: true },
      );
      expect(result).to.include({ ok: false, detail: reason });
    });
  }

  it('whose values have other keys says which', () => {
    const secret = decodeSecret(secretOf({ ca: ROOT, cert: certificate, key: file(`${folder}/leaf.key`) }));
    expect(secret.problem).to.equal('it holds ca, cert, key instead of tls.crt, tls.key and ca.crt');
  });

  it('is usable once its leaf stands first', () => {
    const [intermediate = '', leaf = ''] = certificate.toString().split(/(?<=-----END CERTIFICATE-----\n)/);
    const values = { 'tls.crt': Buffer.from(leaf + intermediate), 'tls.key': file(`${folder}/leaf.key`) };
    expect(secretPair({ ...values, 'ca.crt': ROOT }).problem).to.equal(null);
  });
});
