import type { X509Certificate } from 'node:crypto';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import { type Hook, namespaceOf } from './cluster-hooks.ts';
import { shellQuote } from './kubectl.ts';

/** The program that issues a hook's certificate, as far as the objects tell. */
export interface HookIssuer {
  /** `cert-manager`, or the field manager that wrote the caBundle where no program is recognised. */
  readonly name: string;
  /** What it is told from: `annotation cert-manager.io/inject-ca-from`. */
  readonly toldFrom: string;
  /** The command that makes it renew, or that shows why it does not; null when there is none for it. */
  readonly renew: string | null;
  /** Its documentation about renewal. */
  readonly page: string | null;
}

const CERT_MANAGER = 'https://cert-manager.io/docs/';
const CERTGEN = 'https://github.com/kubernetes/ingress-nginx/tree/main/images/kube-webhook-certgen';
const SERVICE_CA =
  'https://docs.openshift.com/container-platform/latest/security/certificates/service-serving-certificate.html';
const OLM = 'https://olm.operatorframework.io/docs/advanced-tasks/adding-admission-and-conversion-webhooks/';
const HELM = 'https://helm.sh/docs/chart_template_guide/function_list/#gensignedcert';

/** Common name of a CA that webhook-certd generates. */
const OWN_CA = /^CN=\S+\.svc CA [0-9a-f]{8}$/m;

/** The annotations by which injectors are asked to write a caBundle. */
const INJECTIONS = {
  'cert-manager.io/inject-ca-from': 'cert-manager',
  'cert-manager.io/inject-ca-from-secret': 'cert-manager',
  'cert-manager.io/inject-apiserver-ca': 'cert-manager',
  'service.beta.openshift.io/inject-cabundle': 'service-ca',
} as const;

/** Field managers that are known to write caBundles, by the program they belong to. */
const WRITERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:cert-manager-)?cainjector$/, 'cert-manager'],
  [/^service-ca(?:-operator)?$/, 'service-ca'],
  [new RegExp(`^${FIELD_MANAGER}$`), FIELD_MANAGER],
  [/certgen/, 'kube-webhook-certgen'],
  [/^helm(?:$|-)/i, 'Helm'],
  [/^argocd(?:-|$)/, 'Argo CD'],
  [/^kustomize-controller$/, 'Flux'],
  [/^kubectl(?:-|$)/, 'kubectl'],
  [/^(?:olm|catalog)$/, 'OLM'],
];

/** The program that a field manager belongs to; the manager itself where it is not known. */
export const writerName = (manager: string): string =>
  WRITERS.find(([pattern]) => pattern.test(manager))?.[1] ?? manager;

/** Whether a field manager's program is known. */
export const isKnownWriter = (manager: string): boolean => WRITERS.some(([pattern]) => pattern.test(manager));

/** The injectors that an object asks for a caBundle, with the annotation that does. */
export const injectionsOf = ({ annotations }: Hook): readonly (readonly [annotation: string, injector: string])[] =>
  Object.entries(INJECTIONS).filter(([annotation]) => (annotations[annotation] ?? 'false') !== 'false');

type Told = Pick<HookIssuer, 'name' | 'toldFrom'>;

const toldBy = (hook: Hook, leaf: X509Certificate | null): Told | null => {
  const [injection] = injectionsOf(hook);
  if (injection !== undefined) return { name: injection[1], toldFrom: `annotation ${injection[0]}` };
  const issuer = leaf?.issuer ?? '';
  if (hook.writers[0] === FIELD_MANAGER) return { name: FIELD_MANAGER, toldFrom: `field manager ${FIELD_MANAGER}` };
  if (OWN_CA.test(issuer)) return { name: FIELD_MANAGER, toldFrom: 'subject of the CA' };
  if (/^O=nil1$/m.test(issuer)) return { name: 'kube-webhook-certgen', toldFrom: 'subject of the CA, O=nil1' };
  if (issuer.includes('openshift-service-serving-signer')) return { name: 'service-ca', toldFrom: 'subject of the CA' };
  const olm = Object.keys(hook.labels).find((label) => label.startsWith('olm.'));
  if (olm !== undefined) return { name: 'OLM', toldFrom: `label ${olm}` };
  const [writer] = hook.writers;
  return writer === undefined ? null : { name: writerName(writer), toldFrom: `field manager ${writer}` };
};

/** Names who issues the certificate of a hook; null when nothing tells. */
export const issuerOf = (hook: Hook, leaf: X509Certificate | null): HookIssuer | null => {
  const told = toldBy(hook, leaf);
  if (told === null) return null;
  const namespace = shellQuote(namespaceOf(hook) ?? 'default');
  const [from = '', name = ''] = hook.annotations['cert-manager.io/inject-ca-from']?.split('/') ?? [];
  switch (told.name) {
    case 'cert-manager':
      return {
        ...told,
        renew:
          name === ''
            ? `kubectl get certificates,certificaterequests -n ${namespace}`
            : `cmctl renew -n ${shellQuote(from)} ${shellQuote(name)}`,
        page: `${CERT_MANAGER}reference/cmctl/#renew`,
      };
    case 'webhook-certd':
      return { ...told, renew: `webhook-certd check --pod-namespace=${namespace}`, page: null };
    case 'kube-webhook-certgen':
      return { ...told, renew: `kubectl get jobs,secrets -n ${namespace}`, page: CERTGEN };
    case 'service-ca':
      return {
        ...told,
        renew: `kubectl get secrets -n ${namespace} --field-selector type=kubernetes.io/tls`,
        page: SERVICE_CA,
      };
    case 'OLM':
      return { ...told, renew: `kubectl get clusterserviceversions -n ${namespace}`, page: OLM };
    case 'Helm':
      return { ...told, renew: `helm list -n ${namespace}`, page: HELM };
    default:
      return { ...told, renew: null, page: null };
  }
};

/**
 * The command for a CA that ends: cert-manager renews it as a Certificate of its own, to which no object of the hook refers,
 * and renewing the leaf does not help.
 */
export const caRenewal = (issuer: HookIssuer | null): string | null =>
  issuer?.name === 'cert-manager' ? 'kubectl get certificates --all-namespaces -o wide' : (issuer?.renew ?? null);
