import 'reflect-metadata';
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect } from 'chai';
import { caError, goParseError, goRefusal, mayServe, verifyChain } from '../../src/certificates/verify-chain.ts';
import { presentedFaults, verifyPresented } from '../../src/certificates/verify-pair.ts';
import { der, oid } from '../support/der.ts';
import { type AuthorityOrder, type LeafOrder, type MadeCa, madeCertificates } from '../support/made-certificates.ts';
import { pki } from '../support/pki.ts';

const NAME = 'svc.ns.svc';
const HOUR_MS = 3_600_000;
const read = ({ pem }: { readonly pem: string }): X509Certificate => new X509Certificate(pem);

const IS_CA = new x509.BasicConstraintsExtension(true, undefined, true);
const SIGNS = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true);
const unknown = (id: string): x509.Extension => new x509.Extension(id, true, new Uint8Array([5, 0]));
const constraints = (...permitted: readonly string[]): x509.Extension => {
  const trees = permitted.map((name) => der(0x30, der(0x82, Buffer.from(name))));
  return new x509.Extension('2.5.29.30', true, der(0x30, der(0xa0, ...trees)));
};
const UNREADABLE = madeCertificates.goUnreadable();
const UNREADABLE_ERROR = 'x509: subject key identifier incorrectly marked critical';

const leafOf = async (ca: MadeCa, order: Partial<LeafOrder> = {}): Promise<X509Certificate> =>
  read(await madeCertificates.leaf({ ca, names: [NAME], ...order }));

interface Way {
  readonly intermediates?: readonly X509Certificate[];
  readonly anchors?: readonly X509Certificate[];
  readonly nowMs?: number;
}
const objection = (leaf: X509Certificate, { intermediates = [], anchors = [], nowMs = Date.now() }: Way) =>
  verifyChain({ leaf, intermediates, anchors }, nowMs);

/** What is said about a leaf when this is its issuer and the whole bundle. */
const objectionTo = async (ca: AuthorityOrder, leaf: Partial<LeafOrder> = {}): Promise<string | null> => {
  const issuer = await madeCertificates.authority({ subject: 'CN=the ca', ...ca });
  return objection(await leafOf(issuer, leaf), { anchors: [read(issuer)] })?.detail ?? null;
};

const commonName = (value: string): Buffer =>
  der(0x30, der(0x31, der(0x30, oid('2.5.4.3'), der(0x13, Buffer.from(value)))));

/** A certificate of version 1, which has no extensions; it signed itself. */
const versionOne = (subject: string, publicKey?: Buffer) => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, oid('1.2.840.10045.4.3.2'));
  const year = new Date().getUTCFullYear();
  const time = (at: number) => der(0x18, Buffer.from(`${at}0101000000Z`));
  const validity = der(0x30, time(year - 1), time(year + 2));
  const key = publicKey ?? keys.publicKey.export({ type: 'spki', format: 'der' });
  const name = commonName(subject);
  const tbs = der(0x30, der(0x02, [1]), algorithm, name, validity, name, key);
  const signature = sign('sha256', tbs, keys.privateKey);
  return {
    certificate: new X509Certificate(der(0x30, tbs, algorithm, der(0x03, [0], signature))),
    issuer: async (): Promise<MadeCa> => {
      const pkcs8 = keys.privateKey.export({ type: 'pkcs8', format: 'der' });
      const algorithms = { name: 'ECDSA', namedCurve: 'P-256' };
      const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, algorithms, true, ['sign']);
      return { pem: '', subject: `CN=${subject}`, keys: { privateKey, publicKey: privateKey } };
    },
  };
};

describe('a chain of certificates', () => {
  it('leads from the leaf to a certificate of the bundle, directly or over intermediates in any order', async () => {
    const root = await madeCertificates.ca();
    const upper = await madeCertificates.intermediate(root);
    const lower = await madeCertificates.intermediate(upper);
    const [direct, below] = [await leafOf(root), await leafOf(lower)];
    const anchors = [read(root)];

    expect(objection(direct, { anchors })).to.equal(null);
    for (const intermediates of [
      [lower, upper],
      [upper, lower],
    ])
      expect(objection(below, { anchors, intermediates: intermediates.map(read) })).to.equal(null);
    expect(objection(below, { anchors: [read(lower)] }), 'an intermediate in the bundle').to.equal(null);
    expect(objection(below, { anchors, intermediates: [read(lower)] })?.detail).to.match(/^none of the 1 certificates/);
  });

  it('needs no issuer when the leaf itself is in the bundle', async () => {
    const leaf = read(await madeCertificates.selfSigned([NAME]));
    expect(objection(leaf, { anchors: [leaf] })).to.equal(null);
    const issued = await leafOf(await madeCertificates.ca());
    expect(objection(issued, { anchors: [leaf, issued] })).to.equal(null);
  });

  it('does not lead over the leaf again', async () => {
    const leaf = read(await madeCertificates.selfSigned([NAME]));
    const anchors = [read(await madeCertificates.ca())];
    expect(objection(leaf, { anchors, intermediates: [leaf] })?.detail).to.match(/^none of the 1 certificates/);
  });

  it('names the leaf when nothing leads to the bundle, by its fingerprint when it has no subject', async () => {
    const anchors = [read(await madeCertificates.ca()), read(await madeCertificates.ca())];
    const tail = 'directly or over tls.crt';
    expect(objection(await leafOf(await madeCertificates.ca()), { anchors })).to.deep.equal({
      detail: `none of the 2 certificates in ca.crt issued CN=${NAME}, ${tail}`,
      by: null,
      retryable: false,
    });
    const nameless = new X509Certificate((await pki.pair({ names: [`${'a'.repeat(63)}.svc`] })).certificate);
    expect(objection(nameless, { anchors })?.detail).to.equal(
      `none of the 2 certificates in ca.crt issued the certificate ${nameless.fingerprint256.slice(0, 23)}…, ${tail}`,
    );
    const parts = await madeCertificates.authority({ subject: 'O=org, CN=leaf' });
    expect(objection(read(parts), { anchors })?.detail).to.include('issued O=org, CN=leaf, ');
  });

  it('ends where two certificates signed each other', async () => {
    const [one, other] = [
      await madeCertificates.authority({ subject: 'CN=one' }),
      await madeCertificates.authority({ subject: 'CN=other' }),
    ];
    const circle = [
      read(await madeCertificates.authority({ ...one, issuer: other })),
      read(await madeCertificates.authority({ ...other, issuer: one })),
    ];
    const leaf = await leafOf(one);
    const anchors = [read(await madeCertificates.ca())];
    expect(objection(leaf, { intermediates: circle, anchors })?.detail).to.match(/^none of the 1 certificates/);
    expect(objection(leaf, { intermediates: circle, anchors: [read(other)] })).to.equal(null);
  });

  it('passes over an issuer that is refused when another one is not, and else tells the first obstacle', async () => {
    const good = await madeCertificates.authority({ subject: 'CN=the ca' });
    const refused = read(await madeCertificates.authority({ ...good, extensions: [] }));
    const expired = read(await madeCertificates.authority({ ...good, fromDays: -3, toDays: -2 }));
    const leaf = await leafOf(good);
    expect(objection(leaf, { anchors: [refused, expired, read(good)] })).to.equal(null);
    expect(objection(leaf, { anchors: [refused, expired] })?.detail).to.include('not a certificate authority');
    expect(objection(leaf, { anchors: [expired, refused] })?.detail).to.include('has expired');
    const stranger = read(await madeCertificates.ca());
    expect(objection(leaf, { anchors: [stranger], intermediates: [expired] })?.detail).to.include('has expired');
  });
});

describe('an issuer', () => {
  it('is refused where Go cannot read it or does not handle what is critical about it', async () => {
    expect(await objectionTo({ extensions: [IS_CA, SIGNS, UNREADABLE] })).to.equal(
      `the issuer CN=the ca is refused by Go: ${UNREADABLE_ERROR}`,
    );
    expect(await objectionTo({ extensions: [IS_CA, SIGNS, unknown('1.2.3.4'), unknown('1.2.3.5')] })).to.equal(
      'the issuer CN=the ca is refused by Go: x509: unhandled critical extension (1.2.3.4, 1.2.3.5)',
    );
  });

  it('is not found under other bytes than those of the name in what it signed', async () => {
    const ca = await madeCertificates.authority({ subject: 'CN=The CA' });
    const leaf = await leafOf({ ...ca, subject: 'CN=the ca' });
    expect(objection(leaf, { anchors: [read(ca)] })).to.deep.equal({
      detail:
        'the issuer CN=The CA is not found by Go: its subject is encoded in other bytes than the issuer of what it signed',
      by: 'refused-by-go',
      retryable: false,
    });
  });

  it('is refused when it is no CA, or may not sign certificates', async () => {
    const noCa = 'the issuer CN=the ca is not a certificate authority';
    expect(await objectionTo({ extensions: [] })).to.equal(noCa);
    expect(await objectionTo({ extensions: [new x509.BasicConstraintsExtension(false)] })).to.equal(noCa);
    const signsLists = new x509.KeyUsagesExtension(x509.KeyUsageFlags.cRLSign, true);
    expect(await objectionTo({ extensions: [IS_CA, signsLists] })).to.equal(
      'the issuer CN=the ca may not sign certificates: its key usage lacks keyCertSign',
    );
    expect(await objectionTo({ extensions: [IS_CA] })).to.equal(null);
  });

  it('of version 1 may stand in the bundle, and not between', async () => {
    const { certificate, issuer } = versionOne('old');
    const leaf = await leafOf(await issuer());
    expect(objection(leaf, { anchors: [certificate] })).to.equal(null);
    const anchors = [read(await madeCertificates.ca())];
    expect(objection(leaf, { anchors, intermediates: [certificate] })?.detail).to.equal(
      'the issuer CN=old is not a certificate authority',
    );
  });

  it('without extensions is a CA in the bundle before version 3 only', async () => {
    const ca = await madeCertificates.authority({ subject: 'CN=the ca', extensions: [] });
    const below = await leafOf(ca);
    const anchors = [read(await madeCertificates.ca())];
    for (const way of [{ anchors: [read(ca)] }, { anchors, intermediates: [read(ca)] }])
      expect(objection(below, way)?.detail).to.equal('the issuer CN=the ca is not a certificate authority');
  });

  it('is waited for until the first moment of its validity, and has expired at its end', async () => {
    const ca = await madeCertificates.authority({ subject: 'CN=the ca' });
    const [leaf, anchor] = [await leafOf(ca), read(ca)];
    const [fromMs, toMs] = [anchor.validFromDate.getTime(), anchor.validToDate.getTime()];
    const at = (nowMs: number) => objection(leaf, { anchors: [anchor], nowMs });
    expect(at(fromMs - 1)).to.deep.equal({
      detail: 'the issuer CN=the ca is not valid yet',
      by: null,
      retryable: true,
    });
    expect(at(fromMs)).to.equal(null);
    expect(at(toMs - 1)).to.equal(null);
    expect(at(toMs)).to.deep.equal({
      detail: 'the issuer CN=the ca has expired',
      by: 'issuer-expired',
      retryable: false,
    });
  });

  it('is not followed over a signature that Go does not verify', async () => {
    const ca = await madeCertificates.authority({ subject: 'CN=the ca' });
    expect(objection(await leafOf(ca, { hash: 'SHA-1' }), { anchors: [read(ca)] })).to.deep.equal({
      detail: 'the issuer CN=the ca is refused by Go: x509: cannot verify signature: insecure algorithm ECDSA-SHA1',
      by: 'refused-by-go',
      retryable: false,
    });
  });

  it('allows as many intermediates below it as its path length says', async () => {
    const withLength = (length: number) => [new x509.BasicConstraintsExtension(true, length, true), SIGNS];
    for (const [length, fits] of [
      [0, [true, false, false]],
      [1, [true, true, false]],
    ] as const) {
      const root = await madeCertificates.authority({ subject: 'CN=root', extensions: withLength(length) });
      const upper = await madeCertificates.intermediate(root);
      const lower = await madeCertificates.intermediate(upper);
      const way = { anchors: [read(root)], intermediates: [read(lower), read(upper)] };
      for (const [below, ca] of [root, upper, lower].entries())
        expect(objection(await leafOf(ca), way)?.detail ?? null, `${below} below ${length}`).to.equal(
          fits[below] === true
            ? null
            : 'the issuer CN=root is refused by Go: x509: too many intermediates for path length',
        );
    }
  });

  it('is refused when its extended key usage names other purposes than serving', async () => {
    const usage = (...oids: readonly string[]) => ({
      extensions: [IS_CA, SIGNS, new x509.ExtendedKeyUsageExtension([...oids])],
    });
    const [server, client, any] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
    expect(await objectionTo(usage(client))).to.equal(
      'the issuer CN=the ca is refused by Go: x509: certificate specifies an incompatible key usage: it lacks serverAuth',
    );
    for (const oids of [[server], [any], [client, server]]) expect(await objectionTo(usage(...oids))).to.equal(null);
  });

  it('is refused for a name that its constraints forbid, of the leaf or of its own', async () => {
    const forbidden = (name: string) =>
      `the issuer CN=the ca is refused by Go: x509: a root or intermediate certificate is not authorized to sign for this name: "${name}" is not permitted by any name constraint`;
    const constrained = (...names: readonly string[]) => [IS_CA, SIGNS, constraints(...names)];
    expect(await objectionTo({ extensions: constrained('ns.svc') })).to.equal(null);
    expect(await objectionTo({ extensions: constrained('other.svc') })).to.equal(forbidden(NAME));
    const own = new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'own.org' }]);
    expect(await objectionTo({ extensions: [...constrained('ns.svc'), own] })).to.equal(forbidden('own.org'));
  });

  it('is passed over when nobody can load its key', async () => {
    const key = der(0x30, der(0x30, oid('1.2.3.4')), der(0x03, [0, 1]));
    const { certificate } = versionOne('odd', key);
    expect(() => certificate.publicKey).to.throw();
    expect(goParseError(certificate)).to.equal('x509: unsupported public key algorithm unknown');
    const ca = await madeCertificates.ca();
    expect(objection(await leafOf(ca), { anchors: [certificate, read(ca)] })).to.equal(null);
    expect(objection(await leafOf(ca), { anchors: [certificate] })?.detail).to.match(/^none of the 1 certificates/);
  });
});

describe('a certificate by itself', () => {
  it('is refused as a leaf where Go cannot read it or does not handle what is critical about it', async () => {
    const ca = await madeCertificates.ca();
    const anchors = [read(ca)];
    expect(objection(await leafOf(ca, { extensions: [UNREADABLE] }), { anchors })).to.deep.equal({
      detail: `Go refuses the certificate: ${UNREADABLE_ERROR}`,
      by: 'refused-by-go',
      retryable: false,
    });
    expect(objection(await leafOf(ca, { extensions: [unknown('1.2.3.4')] }), { anchors })).to.deep.equal({
      detail: 'Go refuses the certificate: x509: unhandled critical extension (1.2.3.4)',
      by: 'refused-by-go',
      retryable: false,
    });
  });

  it('is told apart as unreadable and as unusable', async () => {
    const ca = await madeCertificates.ca();
    const [good, unreadable, unhandled] = [
      await leafOf(ca),
      await leafOf(ca, { extensions: [UNREADABLE] }),
      await leafOf(ca, { extensions: [unknown('1.2.3.4')] }),
    ];
    const of = (ask: (certificate: X509Certificate) => unknown) => [good, unreadable, unhandled].map(ask);
    expect(of(goParseError)).to.deep.equal([null, UNREADABLE_ERROR, null]);
    expect(of(goRefusal)).to.deep.equal([null, UNREADABLE_ERROR, 'x509: unhandled critical extension (1.2.3.4)']);
  });

  it('may serve unless its extended key usage says otherwise, which a certificate that Go cannot read does not', async () => {
    const ca = await madeCertificates.ca();
    const usages = [madeCertificates.clientAuth];
    expect(mayServe(await leafOf(ca))).to.equal(true);
    expect(mayServe(read(ca))).to.equal(true);
    expect(mayServe(await leafOf(ca, { usages }))).to.equal(false);
    expect(mayServe(await leafOf(ca, { usages, extensions: [UNREADABLE] }))).to.equal(true);
  });

  it('is refused as a CA by what it lacks', async () => {
    const of = async (...extensions: readonly x509.Extension[]) =>
      caError(read(await madeCertificates.authority({ extensions })));
    const clientOnly = new x509.ExtendedKeyUsageExtension([madeCertificates.clientAuth]);
    const signsLists = new x509.KeyUsagesExtension(x509.KeyUsageFlags.cRLSign, true);
    expect(caError(null)).to.equal('is missing');
    expect(await of(IS_CA, SIGNS)).to.equal(null);
    expect(await of()).to.equal('is not a certificate authority');
    expect(caError(versionOne('old').certificate)).to.equal('is not a certificate authority');
    expect(await of(IS_CA, signsLists)).to.equal('may not sign certificates: its key usage lacks keyCertSign');
    const noKeyIdentifier = new x509.Extension('2.5.29.35', false, new Uint8Array([5, 0]));
    expect(await of(IS_CA, SIGNS, noKeyIdentifier), 'what only OpenSSL cannot read').to.equal(
      'is not a certificate authority',
    );
    expect(await of(IS_CA, UNREADABLE)).to.equal(`is refused by Go: ${UNREADABLE_ERROR}`);
    expect(await of(IS_CA, SIGNS, unknown('1.2.3.4'))).to.equal(
      'is refused by Go: x509: unhandled critical extension (1.2.3.4)',
    );
    expect(await of(IS_CA, SIGNS, clientOnly)).to.equal(
      'may not sign for servers: its extended key usage lacks serverAuth',
    );
  });
});

describe('the certificates that a server presents', () => {
  const reasons = (faults: ReturnType<typeof presentedFaults>) => faults.map(({ reason }) => reason);

  it('have no fault when a client accepts them, and none without any', async () => {
    const ca = await madeCertificates.ca();
    const leaf = await leafOf(ca);
    expect(presentedFaults([leaf], [read(ca)], NAME, Date.now())).to.deep.equal([]);
    expect(presentedFaults([], [read(ca)], NAME, Date.now())).to.deep.equal([]);
    expect(presentedFaults([leaf], [], NAME, Date.now())).to.deep.equal([]);
    expect(verifyPresented([leaf], ca.pem, NAME, Date.now())).to.equal(null);
    expect(verifyPresented([], ca.pem, NAME, Date.now())).to.equal('no certificate was presented');
    expect(verifyPresented([leaf], '', NAME, Date.now())).to.equal('the trust bundle holds no certificate');
  });

  it('have every fault told, the dates first', async () => {
    const [ca, stranger] = [await madeCertificates.ca(), await madeCertificates.ca()];
    const old = await leafOf(ca, { fromDays: -3, toDays: -2, usages: [madeCertificates.clientAuth] });
    const found = presentedFaults([old], [read(stranger)], 'other.ns.svc', Date.now());
    expect(reasons(found)).to.deep.equal(['expired', 'not-for-servers', 'missing-names', 'untrusted-chain']);
    expect(found[2]?.detail).to.equal('the certificate lacks other.ns.svc');
    expect(verifyPresented([old], stranger.pem, NAME, Date.now())).to.match(/^expired at /);
    const fresh = await leafOf(ca);
    expect(verifyPresented([fresh], ca.pem, 'other.ns.svc', Date.now())).to.equal('the certificate lacks other.ns.svc');
    expect(verifyPresented([fresh], ca.pem, NAME, fresh.validFromDate.getTime() - HOUR_MS)).to.match(/^valid from /);
  });

  it('are refused for one that Go cannot read, by its place in the chain', async () => {
    const ca = await madeCertificates.ca();
    const unreadable = read(await madeCertificates.authority({ extensions: [UNREADABLE] }));
    const other = read(await madeCertificates.ca());
    const faults = (...chain: readonly X509Certificate[]) => presentedFaults(chain, [read(ca)], NAME, Date.now());
    const leaf = await leafOf(ca);
    for (const [chain, place] of [
      [[leaf, unreadable], 2],
      [[leaf, other, unreadable], 3],
    ] as const)
      expect(faults(...chain)).to.deep.equal([
        {
          reason: 'untrusted-chain',
          chainFault: 'refused-by-go',
          detail: `Go refuses the chain for certificate ${place} of tls.crt: ${UNREADABLE_ERROR}`,
          retryable: false,
        },
      ]);
    expect(faults(leaf, other)).to.deep.equal([]);
  });
});
