import type { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { type Finding, finding, shortHash } from '../../src/check/cluster-finding.ts';
import type { SurveyedHook } from '../../src/check/cluster-survey.ts';
import { createVerifier } from '../../src/check/cluster-trust.ts';
import { trustFindings } from '../../src/check/cluster-trust-findings.ts';
import { formatExpiry } from '../../src/util/time.ts';
import { type LeafOrder, type MadeCa, madeCertificates, type MadeLeaf } from '../support/made-certificates.ts';
import { certificateOf, failed, type GivenHook, hookOf, hooksIn, presented, probed, surveyedOf } from './surveyed.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOW_MS = Date.now();
const NAME = 'svc.ns.svc';
const CERT_MANAGER = { 'cert-manager.io/inject-ca-from': 'ns/certificate' };
const RENEW = 'cmctl renew -n ns certificate';
const CMCTL = 'https://cert-manager.io/docs/reference/cmctl/#renew';
const ALL_CERTIFICATES = 'kubectl get certificates --all-namespaces -o wide';
const TLS_SECRETS = 'kubectl get secrets -n ns --field-selector type=kubernetes.io/tls';
const DECODE = 'base64 -d | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout';
const SHOW_BUNDLE = `kubectl get validatingwebhookconfiguration configuration -o jsonpath='{.webhooks[0].clientConfig.caBundle}' | ${DECODE}`;
const SHOW_WRITERS = 'kubectl get validatingwebhookconfiguration configuration -o yaml --show-managed-fields';
const TORN = '-----BEGIN CERTIFICATE-----\nMIIB\n';

/** A Pod, or null for an address, and the chain that it shows. */
type Shows = readonly [pod: string | null, ...chain: readonly { readonly pem: string }[]];

interface Terms extends Partial<Omit<SurveyedHook, 'hook' | 'probes'>> {
  readonly warnBeforeMs?: number;
}

const foundAt = (surveyed: SurveyedHook, warnBeforeMs = 0): readonly Finding[] =>
  trustFindings(surveyed, createVerifier(NOW_MS), { warnBeforeMs, nowMs: NOW_MS });

const found = (
  given: GivenHook,
  shows: readonly Shows[],
  { warnBeforeMs, ...rest }: Terms = {},
): readonly Finding[] => {
  const probes = shows.map(([pod, ...chain]) => probed(pod, presented('TLSv1.3', chain.map(certificateOf))));
  return foundAt(surveyedOf(hookOf(given), { probes, ...rest }), warnBeforeMs);
};
const texts = (...given: Parameters<typeof found>): readonly string[] =>
  found(...given).map(({ id, severity, detail }) => `${severity} ${id}: ${detail}`);
const remedies = (...given: Parameters<typeof found>): readonly (string | null)[] =>
  found(...given).map(({ remedy }) => remedy);

const hashOf = (made: { readonly pem: string }): string => shortHash(certificateOf(made));
const dayOf = (made: { readonly pem: string }): string => certificateOf(made).validFromDate.toISOString().slice(0, 10);
const endOf = (made: { readonly pem: string }): number => certificateOf(made).validToDate.getTime();

let ca: MadeCa;
let other: MadeCa;
let good: MadeLeaf;
let stranger: MadeLeaf;
const leaf = (order: Partial<LeafOrder> = {}) => madeCertificates.leaf({ ca, names: [NAME], ...order });
before(async () => {
  [ca, other] = await Promise.all([madeCertificates.ca('CN=one'), madeCertificates.ca('CN=other')]);
  [good, stranger] = await Promise.all([leaf(), leaf({ ca: other })]);
});

describe('the caBundle of a webhook', () => {
  it('is not mentioned where it is readable, whether or not an endpoint shows a certificate', () => {
    expect(found({ caBundle: ca.pem }, [])).to.deep.equal([]);
    expect(found({ caBundle: ca.pem }, [['a', good]])).to.deep.equal([]);
    const probes = [probed('a', failed('closed', 'no')), probed('b', { state: 'skipped', detail: 'no' })];
    expect(foundAt(surveyedOf(hookOf({ caBundle: ca.pem }), { probes }))).to.deep.equal([]);
  });

  it('fails every call where it holds no certificate, of which alone is then told', async () => {
    const nameless = await leaf({ names: ['elsewhere.svc'] });
    const detail = 'it holds no certificate, so the API server cannot build a client from it';
    expect(found({ caBundle: 'no PEM' }, [['a', nameless]])).to.deep.equal([
      finding('ca-bundle-unreadable', 'fail', detail, SHOW_BUNDLE),
    ]);
    expect(texts({ caBundle: TORN }, [])).to.deep.equal(['fail ca-bundle-unreadable: PEM block 1 is cut off']);
  });

  it('is warned about where a part is unreadable, with what the API server goes on with', () => {
    const detail = 'PEM block 3 is cut off; the API server goes on with the other 2';
    expect(found({ caBundle: `${ca.pem}${other.pem}${TORN}` }, [['a', good]])).to.deep.equal([
      finding('ca-bundle-partly-unreadable', 'warn', detail, SHOW_BUNDLE),
    ]);
  });

  it('is shown by the path that it has in its object', () => {
    const shown = (collection: string, spec: object): string | null =>
      foundAt(surveyedOf(hooksIn(collection)({ metadata: { name: 'a b' }, spec })[0]!))[0]?.remedy ?? null;
    const clientConfig = { url: 'https://example.com', caBundle: 'YQ==' };
    expect(
      shown('customresourcedefinitions', { conversion: { strategy: 'Webhook', webhook: { clientConfig } } }),
    ).to.equal(
      `kubectl get customresourcedefinition 'a b' -o jsonpath='{.spec.conversion.webhook.clientConfig.caBundle}' | ${DECODE}`,
    );
    expect(shown('apiservices', { service: { name: 'svc', namespace: 'ns' }, caBundle: 'YQ==' })).to.equal(
      `kubectl get apiservice 'a b' -o jsonpath='{.spec.caBundle}' | ${DECODE}`,
    );
    const webhooks = Array.from({ length: 13 }, (_, at) => ({ name: `${at}.example.com`, clientConfig }));
    const last = hooksIn('mutatingwebhookconfigurations')({ metadata: { name: 'a' }, webhooks }).at(-1)!;
    expect(foundAt(surveyedOf(last))[0]?.remedy).to.contain("jsonpath='{.webhooks[12].clientConfig.caBundle}' |");
  });

  it('is not read of an aggregated API that is not verified', () => {
    const spec = { service: { name: 'svc', namespace: 'ns' }, caBundle: 'YQ==', insecureSkipTLSVerify: true };
    const [hook] = hooksIn('apiservices')({ metadata: { name: 'v1.example.com' }, spec });
    const probes = [probed('a', presented('TLSv1.3', [certificateOf(stranger)]))];
    expect(foundAt(surveyedOf(hook!, { probes }), 999 * DAY_MS)).to.deep.equal([]);
  });

  it('is empty where no public CA issued what its Service shows: its issuer has to write it', () => {
    const shows: readonly Shows[] = [
      ['a', good],
      ['b', stranger],
    ];
    const detail = (which: string) => `so the API server trusts public CAs only, and ${which} refused`;
    expect(found({ caBundle: '' }, [['a', good]])).to.deep.equal([
      finding('ca-bundle-empty', 'fail', detail('Pod a is Ready and'), TLS_SECRETS),
    ]);
    const [first] = found({ caBundle: '', annotations: CERT_MANAGER }, shows);
    expect(first).to.deep.equal(
      finding('ca-bundle-empty', 'fail', detail('all 2 endpoints are Ready and'), RENEW, CMCTL),
    );
  });

  it('is not what is wrong where the certificate would be refused by any CA', async () => {
    const expired = await leaf({ fromDays: -9, toDays: -1 });
    expect(texts({ caBundle: '' }, [['a', expired]])[0]).to.match(
      /^fail expired: Pod a is Ready and refused: expired at /,
    );
  });

  it('may be empty for a URL, whose certificate a public CA may have issued', () => {
    expect(found({ url: 'https://svc.ns.svc', caBundle: '' }, [])).to.deep.equal([]);
    const [first] = found({ url: 'https://svc.ns.svc', caBundle: '' }, [[null, good]]);
    expect(first).to.include({ id: 'untrusted', remedy: SHOW_WRITERS });
    expect(first?.detail).to.match(
      /^10\.0\.0\.1:8443 is refused: none of the \d+ certificates in its caBundle issued /,
    );
  });
});

describe('a certificate that the API server refuses', () => {
  it('fails the calls, for the reason that the API server gives', async () => {
    const { clientAuth, unknownCritical } = madeCertificates;
    const [expired, early, nameless, usage, critical] = await Promise.all([
      leaf({ fromDays: -9, toDays: -1 }),
      leaf({ fromDays: 1 }),
      leaf({ names: ['elsewhere.svc'] }),
      leaf({ usages: [clientAuth] }),
      leaf({ extensions: [unknownCritical()] }),
    ]);
    const at = (date: Date): string => date.toISOString();
    for (const [made, id, detail] of [
      [expired, 'expired', `expired at ${at(certificateOf(expired).validToDate)}`],
      [early, 'not-yet-valid', `valid from ${at(certificateOf(early).validFromDate)} only`],
      [nameless, 'names-missing', 'the certificate lacks svc.ns.svc'],
      [usage, 'not-for-servers', 'the extended key usage of the certificate lacks serverAuth'],
      [critical, 'refused-by-go', 'Go refuses the certificate: x509: unhandled critical extension (1.2.3.4)'],
    ] as const)
      expect(found({ caBundle: ca.pem }, [['a', made]]), id).to.deep.equal([
        finding(id, 'fail', `Pod a is Ready and refused: ${detail}`, TLS_SECRETS),
      ]);
  });

  it('is not trusted where nothing in the caBundle issued it, which is then shown', () => {
    const detail =
      'Pod a is Ready and refused: none of the 1 certificates in its caBundle issued CN=svc.ns.svc, directly or over what it sends';
    expect(found({ caBundle: other.pem }, [['a', good]])).to.deep.equal([
      finding('untrusted', 'fail', detail, SHOW_BUNDLE),
    ]);
    expect(found({ caBundle: other.pem, annotations: CERT_MANAGER }, [['a', good]])).to.deep.equal([
      finding('untrusted', 'fail', detail, RENEW, CMCTL),
    ]);
  });

  it('is refused by Go where its CA is, or what is sent beside it, which OpenSSL accepts', async () => {
    const sha1 = await leaf({ hash: 'SHA-1' });
    const spelled: MadeCa = { ...(await madeCertificates.ca('CN=spelled')), subject: 'CN=SPELLED' };
    const beside = await madeCertificates.authority({ extensions: [madeCertificates.goUnreadable()] });
    for (const [bundle, chain, says] of [
      [ca, [sha1], 'the issuer CN=one is refused by Go: x509: '],
      [spelled, [await leaf({ ca: spelled })], 'the issuer CN=spelled is not found by Go: '],
      [ca, [good, beside], 'Go refuses the chain for certificate 2 of what it sends: x509: '],
    ] as const) {
      const [first, ...more] = texts({ caBundle: bundle.pem }, [['a', ...chain]]);
      expect(first).to.contain(`fail refused-by-go: Pod a is Ready and refused: ${says}`);
      expect(more).to.deep.equal([]);
    }
  });

  it('is renewed by its issuer, or by the program that keeps its Secret', async () => {
    const expired = await leaf({ fromDays: -9, toDays: -1 });
    const issued = found({ caBundle: ca.pem, annotations: CERT_MANAGER }, [['a', expired]]);
    expect(issued[0]).to.include({ remedy: RENEW, page: CMCTL });
    expect(remedies({ caBundle: ca.pem, managers: ['somebody'] }, [['a', expired]])).to.deep.equal([TLS_SECRETS]);
    expect(remedies({ caBundle: ca.pem, url: 'https://svc.ns.svc' }, [[null, expired]])).to.deep.equal([SHOW_WRITERS]);
  });

  it('is renewed in vain where its CA has expired, which is renewed first', async () => {
    const ended = await madeCertificates.ca('CN=ended', { fromDays: -9, toDays: -1 });
    const shows: readonly Shows[] = [['a', await leaf({ ca: ended })]];
    const [first] = found({ caBundle: ended.pem, annotations: CERT_MANAGER }, shows);
    expect(first).to.include({ id: 'untrusted', remedy: ALL_CERTIFICATES });
    expect(first?.detail).to.equal('Pod a is Ready and refused: the issuer CN=ended has expired');
    expect(remedies({ caBundle: ended.pem }, shows)).to.deep.equal([TLS_SECRETS]);
  });

  it('is told once for the endpoints of which the same is said', async () => {
    const nameless = await leaf({ names: ['elsewhere.svc'] });
    const shows: readonly Shows[] = [
      ['a', nameless],
      ['b', nameless],
      ['c', stranger],
    ];
    const [first, second, ...more] = texts({ caBundle: ca.pem }, shows);
    expect(first).to.match(/^fail names-missing: 2 of 3 endpoints \(Pod a, Pod b\) are Ready and refused: the /);
    expect(second).to.match(/^fail untrusted: 1 of 3 endpoints \(Pod c\) is Ready and refused: none /);
    expect(more.map((text) => text.slice(0, 25))).to.deep.equal(['warn certificates-differ:']);
  });

  it('is given up with its Pod where another one of them has an accepted one', () => {
    const shows: readonly Shows[] = [
      ['a', good],
      ['b', stranger],
      ['c', stranger],
    ];
    const [first] = found({ caBundle: ca.pem, annotations: CERT_MANAGER }, shows);
    expect(first).to.deep.include({
      id: 'untrusted',
      severity: 'fail',
      remedy: 'kubectl delete pod -n ns b c',
      page: 'docs/guides/cluster-check.md#untrusted',
    });
    const addresses = shows.map(([, ...chain]): Shows => [null, ...chain]);
    expect(found({ caBundle: ca.pem, annotations: CERT_MANAGER }, addresses)[0]).to.include({
      remedy: RENEW,
      page: CMCTL,
    });
  });

  it('is not given up with its Pod where all are refused, each for another reason: a new Pod would mount no better one', async () => {
    const nameless = await leaf({ names: ['elsewhere.svc'] });
    const given = { caBundle: ca.pem, annotations: CERT_MANAGER };
    const shows: readonly Shows[] = [
      ['a', nameless],
      ['b', stranger],
    ];
    expect(remedies(given, shows).slice(0, 2)).to.deep.equal([RENEW, RENEW]);
  });
});

describe('the end of a certificate that the API server accepts', () => {
  it('is warned about in time, with who renews it', async () => {
    const short = await leaf({ toDays: 10 });
    const given = { caBundle: ca.pem, annotations: CERT_MANAGER };
    const detail = `leaf ${hashOf(short)}: ${formatExpiry(endOf(short), NOW_MS)}`;
    const expected = finding('expires-soon', 'warn', detail, RENEW, CMCTL);
    const warnBeforeMs = endOf(short) - NOW_MS;
    expect(found(given, [['a', short]], { warnBeforeMs })).to.deep.equal([]);
    expect(found(given, [['a', short]], { warnBeforeMs: warnBeforeMs + 1 })).to.deep.equal([expected]);
    expect(remedies({ caBundle: ca.pem }, [['a', short]], { warnBeforeMs: 11 * DAY_MS })).to.deep.equal([TLS_SECRETS]);
  });

  it('is told once for the endpoints that share it', async () => {
    const [short, twin] = await Promise.all([leaf({ toDays: 10 }), leaf({ toDays: 10 })]);
    const shows: readonly Shows[] = [
      ['a', short],
      ['b', twin],
      ['c', short],
    ];
    const ending = texts({ caBundle: ca.pem }, shows, { warnBeforeMs: 11 * DAY_MS }).slice(0, -1);
    expect(ending.map((text) => text.slice(0, 36))).to.deep.equal(
      [short, twin].map((each) => `warn expires-soon: leaf ${hashOf(each)}`),
    );
  });

  it('is that of a CA where it ends before the leaf, which is then renewed in vain', async () => {
    const ending = await madeCertificates.ca('CN=ending', { toDays: 10 });
    const long = await leaf({ ca: ending, toDays: 40.5 });
    const until = formatExpiry(endOf(ending), NOW_MS);
    const given = { caBundle: ending.pem, annotations: CERT_MANAGER };
    const shows: readonly Shows[] = [['a', long]];
    const first = finding(
      'ca-ends-first',
      'warn',
      `CA CN=ending is valid ${until}; its leaf 30 d longer, in vain`,
      ALL_CERTIFICATES,
      CMCTL,
    );
    expect(found(given, shows)).to.deep.equal([first]);
    expect(found(given, shows, { warnBeforeMs: 11 * DAY_MS })).to.deep.equal([
      finding('ca-expires-soon', 'warn', `CA CN=ending: ${until}`, ALL_CERTIFICATES, CMCTL),
      first,
    ]);
    expect(remedies({ caBundle: ending.pem, managers: ['helm'] }, shows)).to.deep.equal(['helm list -n ns']);
    expect(remedies({ caBundle: ending.pem }, shows)).to.deep.equal([TLS_SECRETS]);
  });

  it('is that of a CA which was made with its leaf, up to an hour later', async () => {
    const ending = await madeCertificates.ca('CN=ending', { toDays: 10 });
    const child = certificateOf(await leaf({ ca: ending }));
    const probes = [probed('a', presented('TLSv1.3', [child]))];
    const ids = (beforeMs: number): readonly string[] => {
      const end = { atMs: child.validToDate.getTime() - beforeMs, certificate: certificateOf(ending), isLeaf: false };
      const verifier = { ...createVerifier(NOW_MS), verify: () => ({ faults: [], end }) };
      const terms = { warnBeforeMs: 0, nowMs: NOW_MS };
      return trustFindings(surveyedOf(hookOf({ caBundle: ending.pem }), { probes }), verifier, terms).map(
        ({ id }) => id,
      );
    };
    expect(ids(HOUR_MS)).to.deep.equal([]);
    expect(ids(HOUR_MS + 1)).to.deep.equal(['ca-ends-first']);
  });
});

describe('endpoints of a webhook that show different certificates', () => {
  it('are warned about, and those with the older ones replaced', async () => {
    const [newer, older, oldest] = await Promise.all([leaf(), leaf({ fromDays: -3 }), leaf({ fromDays: -30 })]);
    const shows: readonly Shows[] = [
      ['a', oldest],
      ['b', newer],
      ['c', older],
      ['d', older],
      [null, oldest],
    ];
    const served = [
      `Pod c, Pod d serve ${hashOf(older)} from ${dayOf(older)}`,
      `Pod a, 10.0.0.1:8443 serve ${hashOf(oldest)} from ${dayOf(oldest)}`,
      `Pod b serves ${hashOf(newer)} from ${dayOf(newer)}`,
    ];
    const advice = 'Unless each Pod has a certificate of its own, those with the older one have not reloaded';
    expect(found({ caBundle: ca.pem }, shows)).to.deep.equal([
      finding('certificates-differ', 'warn', `${served.join('; ')}. ${advice}`, 'kubectl delete pod -n ns c d a'),
    ]);
  });

  it('are not replaced where they are no Pods of its Service', async () => {
    const older = await leaf({ fromDays: -3 });
    const shows = (pod: string | null): readonly Shows[] => [
      ['a', good],
      [pod, older],
    ];
    expect(remedies({ caBundle: ca.pem }, shows(null))).to.deep.equal([null]);
    expect(remedies({ caBundle: ca.pem, url: 'https://svc.ns.svc' }, shows('b'))).to.deep.equal([null]);
  });
});

describe('a Pod of a webhook that serves another certificate than its Secret holds', () => {
  interface Mounted {
    readonly leaf: X509Certificate;
    readonly secret: string;
    readonly pods: readonly string[];
    readonly subPathPods: readonly string[];
  }
  const mounted = (made: { readonly pem: string }, pods: readonly string[], rest: Partial<Mounted> = {}): Mounted => ({
    secret: 'certs',
    leaf: certificateOf(made),
    pods,
    subPathPods: [],
    ...rest,
  });
  const differing = (shows: readonly Shows[], ...certificates: readonly Mounted[]): readonly Finding[] =>
    found({ caBundle: ca.pem }, shows, { mounted: { certificates, problems: [] } }).filter(
      ({ id }) => id !== 'certificates-differ',
    );

  it('is replaced', async () => {
    const renewed = await leaf({ fromDays: -1, toDays: 29 });
    const text = `Pod a serves ${hashOf(good)}, Secret certs holds ${hashOf(renewed)} (30 d from ${dayOf(renewed)})`;
    expect(differing([['a', good]], mounted(renewed, ['a']))).to.deep.equal([
      finding('secret-differs', 'warn', text, 'kubectl delete pod -n ns a'),
    ]);
  });

  it('is told beside those that serve the same one, apart from those that serve yet another', async () => {
    const [renewed, older] = await Promise.all([leaf(), leaf({ fromDays: -3 })]);
    const shows: readonly Shows[] = [
      ['a', good],
      ['b', older],
      ['c', good],
      ['d', renewed],
    ];
    const differ = differing(shows, mounted(renewed, ['a', 'b', 'c', 'd']));
    expect(differ.map(({ detail, remedy }) => [detail.slice(0, detail.indexOf(', Secret')), remedy])).to.deep.equal([
      [`Pod a, Pod c serve ${hashOf(good)}`, 'kubectl delete pod -n ns a c'],
      [`Pod b serves ${hashOf(older)}`, 'kubectl delete pod -n ns b'],
    ]);
  });

  it('never gets it by a subPath mount', async () => {
    const renewed = await leaf();
    const shows: readonly Shows[] = [
      ['a', good],
      ['b', good],
    ];
    const details = (...subPathPods: readonly string[]) =>
      differing(shows, mounted(renewed, ['a', 'b'], { subPathPods })).map(({ detail }) => detail.replace(/.*\)/, ''));
    expect(details('a', 'b')).to.deep.equal(['; it is a subPath mount, which is never updated']);
    expect(details('a')).to.deep.equal(['']);
  });

  it('is none that mounts no Secret for the name, or several of which it serves one', async () => {
    const [renewed, elsewhere] = await Promise.all([leaf(), leaf({ names: ['elsewhere.svc'] })]);
    expect(differing([['a', good]], mounted(renewed, ['b']))).to.deep.equal([]);
    expect(differing([[null, good]], mounted(renewed, ['a']))).to.deep.equal([]);
    expect(differing([['a', good]], mounted(elsewhere, ['a']))).to.deep.equal([]);
    expect(differing([['a', good]], mounted(good, ['a']))).to.deep.equal([]);
    expect(differing([['a', good]], mounted(renewed, ['a']), mounted(good, ['a'], { secret: 'b' }))).to.deep.equal([]);
  });

  it('is not told by a common name, which does not count', async () => {
    const named = await madeCertificates.leaf({ ca, names: [NAME] });
    expect(certificateOf(named).subject).to.equal(`CN=${NAME}`);
    const byCommonName = await madeCertificates.authority({ subject: `CN=${NAME}`, extensions: [] });
    expect(differing([['a', good]], mounted(byCommonName, ['a']))).to.deep.equal([]);
  });
});
