import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { configFindings } from '../../src/check/cluster-config-findings.ts';
import { type Hook, HOOK_LISTS } from '../../src/check/cluster-hooks.ts';
import { issuerOf } from '../../src/check/cluster-issuer.ts';
import { madeCertificates } from '../support/made-certificates.ts';

interface Given {
  /** The field managers of its caBundle, in the order of their writes. */
  readonly managers?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly kind?: 'webhook' | 'conversion';
}

/** The hook of an object as the API server answers it. */
const hookOf = ({ managers = [], annotations = {}, labels = {}, kind = 'webhook' }: Given): Hook => {
  const leaf = { 'f:clientConfig': { 'f:caBundle': {} } };
  const owned = {
    webhook: { 'f:webhooks': { 'k:{"name":"a.example.com"}': leaf } },
    conversion: { 'f:spec': { 'f:conversion': { 'f:webhook': leaf } } },
  }[kind];
  const managedFields = managers.map((manager, at) => ({
    manager,
    time: `2026-01-0${at + 1}T00:00:00Z`,
    fieldsV1: owned,
  }));
  const clientConfig = { service: { name: 'svc', namespace: 'ns' }, caBundle: Buffer.from('a').toString('base64') };
  const metadata = { name: 'configuration', annotations, labels, managedFields };
  const { hooksOf } = HOOK_LISTS.find(({ path }) =>
    path.endsWith(kind === 'webhook' ? 'validatingwebhookconfigurations' : 'customresourcedefinitions'),
  )!;
  const [hook] = hooksOf({
    metadata,
    webhooks: [
      { name: 'b.example.com', clientConfig },
      { name: 'a.example.com', clientConfig },
    ].slice(1),
    spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig } } },
  });
  return hook!;
};

const contentionOf = (given: Given): string | null => {
  const surveyed = { hook: hookOf(given), backend: null, probes: [], namespaceLabels: null, mounted: null };
  return configFindings(surveyed).find(({ id }) => id === 'two-managers')?.detail ?? null;
};

const CERT_MANAGER = { 'cert-manager.io/inject-ca-from': 'ns/certificate' };
const SERVICE_CA = { 'service.beta.openshift.io/inject-cabundle': 'true' };

describe('two managers of one caBundle are found', () => {
  it('where two field managers own it', () => {
    expect(contentionOf({ managers: ['helm', 'operator'] })).to.contain('operator, helm are recorded as managers');
  });

  it('where two field managers own that of a conversion', () => {
    expect(contentionOf({ managers: ['helm', 'operator'], kind: 'conversion' })).to.contain('operator, helm');
  });

  it('where annotations ask two injectors', () => {
    expect(contentionOf({ annotations: { ...CERT_MANAGER, ...SERVICE_CA } })).to.contain('ask two injectors');
  });

  it('where one is asked and another wrote it', () => {
    const given = { managers: ['kube-webhook-certgen'], annotations: CERT_MANAGER };
    expect(contentionOf(given)).to.contain('asks cert-manager for it, but kube-webhook-certgen wrote it last');
  });
});

describe('two managers of one caBundle are not found', () => {
  it('where the injector that is asked wrote it', () => {
    for (const manager of ['cainjector', 'cert-manager-cainjector'])
      expect(contentionOf({ managers: [manager], annotations: CERT_MANAGER }), manager).to.equal(null);
    expect(contentionOf({ managers: ['service-ca-operator'], annotations: SERVICE_CA })).to.equal(null);
  });

  it('where the writer is not known', () => {
    expect(contentionOf({ managers: ['Go-http-client'], annotations: CERT_MANAGER })).to.equal(null);
  });

  it('where an annotation says false', () => {
    const annotations = { ...CERT_MANAGER, 'service.beta.openshift.io/inject-cabundle': 'false' };
    expect(contentionOf({ managers: ['cainjector'], annotations })).to.equal(null);
  });

  it('where the applied manifest has no caBundle, or the same', () => {
    const applied = (caBundle: string | undefined) => ({
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        webhooks: [{ clientConfig: { caBundle } }],
      }),
    });
    expect(contentionOf({ annotations: applied(undefined) })).to.equal(null);
    expect(contentionOf({ annotations: applied(Buffer.from('a').toString('base64')) })).to.equal(null);
    expect(contentionOf({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{' } })).to.equal(null);
  });
});

describe('the issuer of a webhook is told', () => {
  const nameOf = (given: Given, leaf: X509Certificate | null = null): string | null =>
    issuerOf(hookOf(given), leaf)?.name ?? null;

  it('from the annotation that asks an injector', () => {
    expect(nameOf({ annotations: CERT_MANAGER, managers: ['helm'] })).to.equal('cert-manager');
    expect(nameOf({ annotations: SERVICE_CA })).to.equal('service-ca');
  });

  it('from the subject of the CA', async () => {
    for (const [subject, name] of [
      ['O=nil1', 'kube-webhook-certgen'],
      ['CN=svc.ns.svc CA 0123abcd', 'webhook-certd'],
      ['CN=openshift-service-serving-signer@1600000000', 'service-ca'],
    ] as const) {
      const { pem } = await madeCertificates.leaf({ ca: await madeCertificates.ca(subject), names: ['svc.ns.svc'] });
      expect(nameOf({}, new X509Certificate(pem)), subject).to.equal(name);
    }
  });

  it('from the field manager, and the label of OLM', () => {
    expect(nameOf({ managers: ['webhook-certd'] })).to.equal('webhook-certd');
    expect(nameOf({ managers: ['helm'] })).to.equal('Helm');
    expect(nameOf({ managers: ['manager'] })).to.equal('manager');
    expect(nameOf({ labels: { 'olm.owner': 'operator.v1' }, managers: ['catalog'] })).to.equal('OLM');
  });

  it('as unknown where nothing tells', () => {
    expect(nameOf({})).to.equal(null);
  });

  it('with the command that makes it renew', () => {
    expect(issuerOf(hookOf({ annotations: CERT_MANAGER }), null)?.renew).to.equal('cmctl renew -n ns certificate');
  });
});
