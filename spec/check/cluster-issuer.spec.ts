import { expect } from 'chai';
import {
  caRenewal,
  type HookIssuer,
  injectionsOf,
  isKnownWriter,
  issuerOf,
  writerName,
} from '../../src/check/cluster-issuer.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { certificateOf, type GivenHook, hookOf } from './surveyed.ts';

const INJECT_FROM = 'cert-manager.io/inject-ca-from';
const SERVICE_CA = 'service.beta.openshift.io/inject-cabundle';

/** Who issues it by the hook, and by the subject of the CA of what it shows. */
const toldOf = async (given: GivenHook, subject?: string): Promise<HookIssuer | null> => {
  const issued = async (issuer: string) =>
    certificateOf(await madeCertificates.leaf({ ca: await madeCertificates.ca(issuer), names: ['svc.ns.svc'] }));
  return issuerOf(hookOf(given), subject === undefined ? null : await issued(subject));
};

describe('the issuer of a webhook is told', () => {
  it('first from the annotation that asks an injector', async () => {
    const managers = ['webhook-certd'];
    for (const [annotation, value, name] of [
      [INJECT_FROM, 'ns/certificate', 'cert-manager'],
      ['cert-manager.io/inject-ca-from-secret', 'ns/secret', 'cert-manager'],
      ['cert-manager.io/inject-apiserver-ca', 'true', 'cert-manager'],
      [SERVICE_CA, 'true', 'service-ca'],
    ] as const)
      expect(await toldOf({ annotations: { [annotation]: value }, managers }, 'O=nil1'), annotation).to.include({
        name,
        toldFrom: `annotation ${annotation}`,
      });
    expect(await toldOf({ annotations: { [SERVICE_CA]: 'false', 'example.com/inject': 'true' } })).to.equal(null);
  });

  it('then from the field manager of this program', async () => {
    expect(await toldOf({ managers: ['helm', 'webhook-certd'] }, 'O=nil1')).to.include({
      name: 'webhook-certd',
      toldFrom: 'field manager webhook-certd',
    });
  });

  it('then from the subject of the CA', async () => {
    for (const [subject, name, toldFrom] of [
      ['CN=svc.ns.svc CA 0123abcd', 'webhook-certd', 'subject of the CA'],
      ['O=nil1', 'kube-webhook-certgen', 'subject of the CA, O=nil1'],
      ['C=DE, O=nil1', 'kube-webhook-certgen', 'subject of the CA, O=nil1'],
      ['CN=openshift-service-serving-signer@1600000000', 'service-ca', 'subject of the CA'],
    ] as const)
      expect(await toldOf({ labels: { 'olm.owner': 'a' }, managers: ['helm'] }, subject), subject).to.include({
        name,
        toldFrom,
      });
    for (const subject of [
      'CN=svc.ns.svc CA 0123abc',
      'CN=svc.ns.svc CA 0123abcd1',
      'CN=a svc.ns.svc CA 0123abcd',
      'CN=svc.ns CA 0123abcd',
      'O=CN=svc.ns.svc CA 0123abcd',
      'O=nil12',
      'O=a, CN=O=nil1',
      'CN=service-serving-signer',
    ])
      expect(await toldOf({}, subject), subject).to.equal(null);
  });

  it('then from the label of OLM, then from the field manager that wrote it last', async () => {
    expect(await toldOf({ labels: { app: 'a', 'olm.owner': 'operator.v1' }, managers: ['helm'] })).to.include({
      name: 'OLM',
      toldFrom: 'label olm.owner',
    });
    const labels = { app: 'olm.', 'example.com/olm.owner': 'a' };
    expect(await toldOf({ labels, managers: ['webhook-certd', 'helm'] })).to.include({
      name: 'Helm',
      toldFrom: 'field manager helm',
    });
    expect(await toldOf({ managers: ['manager'] }, 'CN=any')).to.deep.equal({
      name: 'manager',
      toldFrom: 'field manager manager',
      renew: null,
      page: null,
    });
  });

  it('as unknown where nothing tells', async () => {
    expect(await toldOf({})).to.equal(null);
    expect(await toldOf({}, 'CN=any')).to.equal(null);
  });
});

describe('the issuer of a webhook is told with what makes it renew', () => {
  const renewals = (given: GivenHook): readonly (string | null | undefined)[] => {
    const issuer = issuerOf(hookOf(given), null);
    return [issuer?.renew, issuer?.page];
  };
  const tls = 'kubectl get secrets -n ns --field-selector type=kubernetes.io/tls';

  it('for each program that is known', () => {
    const olm = 'https://olm.operatorframework.io/docs/advanced-tasks/adding-admission-and-conversion-webhooks/';
    const helm = 'https://helm.sh/docs/chart_template_guide/function_list/#gensignedcert';
    const certgen = 'https://github.com/kubernetes/ingress-nginx/tree/main/images/kube-webhook-certgen';
    const openshift =
      'https://docs.openshift.com/container-platform/latest/security/certificates/service-serving-certificate.html';
    for (const [manager, renew, page] of [
      ['webhook-certd', 'webhook-certd check --pod-namespace=ns', null],
      ['kube-webhook-certgen', 'kubectl get jobs,secrets -n ns', certgen],
      ['service-ca', tls, openshift],
      ['olm', 'kubectl get clusterserviceversions -n ns', olm],
      ['helm', 'helm list -n ns', helm],
      ['argocd-controller', null, null],
      ['kustomize-controller', null, null],
      ['kubectl', null, null],
    ] as const)
      expect(renewals({ managers: [manager] }), manager).to.deep.equal([renew, page]);
  });

  it('for the Certificate of cert-manager, or for all where the annotation names none', () => {
    const page = 'https://cert-manager.io/docs/reference/cmctl/#renew';
    const all = 'kubectl get certificates,certificaterequests -n ns';
    for (const [annotations, renew] of [
      [{ [INJECT_FROM]: 'other/certificate' }, 'cmctl renew -n other certificate'],
      [{ [INJECT_FROM]: 'other/a b' }, "cmctl renew -n other 'a b'"],
      [{ [INJECT_FROM]: 'certificate' }, all],
      [{ [INJECT_FROM]: 'other/' }, all],
      [{ 'cert-manager.io/inject-ca-from-secret': 'other/secret' }, all],
    ] as const)
      expect(renewals({ annotations }), JSON.stringify(annotations)).to.deep.equal([renew, page]);
    expect(renewals({ managers: ['cainjector'] })).to.deep.equal([all, page]);
  });

  it('in the namespace of its Service, or in the default one', () => {
    expect(renewals({ managers: ['helm'], url: 'https://example.com' })[0]).to.equal('helm list -n default');
  });

  it('for the CA above its certificate, which cert-manager renews as a Certificate of its own', () => {
    const forCa = (given: GivenHook) => caRenewal(issuerOf(hookOf(given), null));
    const all = 'kubectl get certificates --all-namespaces -o wide';
    expect(forCa({ annotations: { [INJECT_FROM]: 'ns/certificate' } })).to.equal(all);
    expect(forCa({ managers: ['helm'] })).to.equal('helm list -n ns');
    expect(forCa({ managers: ['somebody'] })).to.equal(null);
    expect(caRenewal(null)).to.equal(null);
  });
});

describe('the writer of a caBundle', () => {
  it('is the program that its field manager belongs to', () => {
    for (const [manager, name] of [
      ['cainjector', 'cert-manager'],
      ['cert-manager-cainjector', 'cert-manager'],
      ['service-ca', 'service-ca'],
      ['service-ca-operator', 'service-ca'],
      ['webhook-certd', 'webhook-certd'],
      ['kube-webhook-certgen', 'kube-webhook-certgen'],
      ['certgen', 'kube-webhook-certgen'],
      ['helm', 'Helm'],
      ['Helm', 'Helm'],
      ['helm-controller', 'Helm'],
      ['argocd', 'Argo CD'],
      ['argocd-application-controller', 'Argo CD'],
      ['kustomize-controller', 'Flux'],
      ['kubectl', 'kubectl'],
      ['kubectl-client-side-apply', 'kubectl'],
      ['olm', 'OLM'],
      ['catalog', 'OLM'],
    ] as const) {
      expect(writerName(manager)).to.equal(name);
      expect(isKnownWriter(manager), manager).to.equal(true);
    }
  });

  it('is its field manager where that is not known', () => {
    for (const manager of [
      ...[
        'manager',
        'my-cainjector',
        'cainjector2',
        'cert-manager',
        'my-service-ca',
        'service-ca2',
        'my-webhook-certd',
      ],
      ...['webhook-certd2', 'my-helm', 'helmet', 'my-argocd', 'argocds', 'my-kustomize-controller', 'kubectl2'],
      ...['kustomize-controller2', 'my-kubectl', 'my-olm', 'olm2', 'my-catalog', 'catalog2'],
    ]) {
      expect(writerName(manager)).to.equal(manager);
      expect(isKnownWriter(manager), manager).to.equal(false);
    }
  });
});

describe('the injectors that are asked for a caBundle', () => {
  it('are told with the annotation that asks each', () => {
    const annotations = { [SERVICE_CA]: 'true', [INJECT_FROM]: 'ns/certificate', 'example.com/inject': 'true' };
    expect(injectionsOf(hookOf({ annotations }))).to.deep.equal([
      [INJECT_FROM, 'cert-manager'],
      [SERVICE_CA, 'service-ca'],
    ]);
    expect(injectionsOf(hookOf({ annotations: { [SERVICE_CA]: 'false' } }))).to.deep.equal([]);
    expect(injectionsOf(hookOf({}))).to.deep.equal([]);
  });
});
