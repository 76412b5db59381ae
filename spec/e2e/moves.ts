import { readGuide } from '../support/guide.ts';
import { kubectl } from './kubectl.ts';
import { oldDeployment, type OldInstallation, webhookConfiguration } from './moving-webhook.ts';
import { type Manifest, manifestsText } from './rendered-manifests.ts';
import type { Shell } from './shell.ts';

export const guide = readGuide('moving-in');

/** How the guide is followed from one origin, by the heading of its section. */
export interface Move {
  readonly origin: string;
  readonly old: OldInstallation;
  /** The commands that print the file and apply the permissions. */
  readonly print: readonly string[];
  /** What a chart has in its last manifest. */
  readonly caBundleOfChart?: boolean;
  /** The type of the origin that the guide speaks of. */
  readonly definition?: Manifest;
  /** What the origin leaves besides its Secrets and annotations. */
  readonly layOut?: () => Promise<void>;
  /** What its section says to do before the rollout. */
  readonly stop?: (shell: Shell) => Promise<void>;
  /** What its section says to apply together with the Deployment. */
  readonly alongside?: () => Promise<readonly Manifest[]>;
}

const TLS_FILES = ['tls.crt', 'tls.key'] as const;
const ORDERS = {
  namespace: 'shop',
  name: 'orders',
  service: 'orders',
  target: 'orders-webhook',
  port: 8443,
  flags: [],
  files: TLS_FILES,
} as const;
const SERVING_FLAG = '--serving-address 127.0.0.1:8443';
const UPSTREAM_FLAGS = '--upstream-url http://127.0.0.1:9000 --webhook-bind-address :8443';

const [, print = ''] = guide.blocks('1. Choose names that are free', 'sh');

/** Applies manifests, each of which is an object of its own: `kubectl apply -f -`. */
export const apply = (...manifests: readonly Manifest[]): Promise<string> =>
  kubectl(['apply', '-f', '-'], manifestsText(manifests));

const block = (heading: string, index: number): string => {
  const found = guide.blocks(heading, 'sh')[index];
  if (found === undefined) throw new Error(`the section "${heading}" has no block ${index}`);
  return found;
};

/** So much of cert-manager that its Certificates can be listed and deleted. Nothing issues: the pair is laid out. */
const certificateDefinition: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'certificates.cert-manager.io' },
  spec: {
    group: 'cert-manager.io',
    names: { kind: 'Certificate', plural: 'certificates', singular: 'certificate' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const layOutCertificate = async (): Promise<void> => {
  await apply(certificateDefinition);
  await kubectl(['wait', '--for=condition=Established', 'crd/certificates.cert-manager.io', '--timeout=30s']);
  const metadata = { name: 'serving-cert', namespace: ORDERS.namespace };
  const spec = { secretName: 'webhook-server-cert', dnsNames: ['orders.shop.svc'] };
  await apply({ apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec });
};

/**
 * The webhook configuration as the template of the guide renders it. `helm` itself is not needed: what an upgrade does to the object is
 * what `kubectl apply` does, a merge of the last manifest, the next one and the object.
 */
const renderedByTemplate = async (old: OldInstallation): Promise<readonly Manifest[]> => {
  const [template = ''] = guide.blocks('Helm with genCA', 'yaml');
  const found = /lookup "admissionregistration.k8s.io\/v1" "ValidatingWebhookConfiguration" "" "([^"]+)"/.exec(
    template,
  );
  const path = '{.webhooks[0].clientConfig.caBundle}';
  const value = await kubectl(['get', 'validatingwebhookconfiguration', found?.[1] ?? '', '-o', `jsonpath=${path}`]);
  if (!template.includes('caBundle: {{ (first .webhooks).clientConfig.caBundle }}')) throw new Error(template);
  return [webhookConfiguration(old, value)];
};

const certManager = { ...ORDERS, secret: 'webhook-server-cert' };
const certgen = { ...ORDERS, secret: 'ingress-nginx-admission', files: ['cert', 'key'] } as const;
const helm = { ...ORDERS, secret: 'release-webhook-tls' };
const certController = { ...ORDERS, secret: 'webhook-server-cert' };
const kubeTemplater: OldInstallation = {
  namespace: 'kubetemplater-system',
  name: 'kubetemplater',
  service: 'kubetemplater-webhook-service',
  target: 'kubetemplater-validating-webhook-configuration',
  port: 9443,
  flags: ['--webhook-cert-secret-name=kubetemplater-webhook-cert'],
  files: TLS_FILES,
  secret: 'kubetemplater-webhook-cert',
};

export const MOVES: readonly Move[] = [
  {
    origin: 'cert-manager with inject-ca-from',
    old: certManager,
    print: [print],
    definition: certificateDefinition,
    layOut: layOutCertificate,
    stop: async (shell) => {
      await shell.run(block('cert-manager with inject-ca-from', 0));
    },
  },
  {
    // `helm upgrade … --set controller.admissionWebhooks.patch.enabled=false` renders the Jobs of the chart no more. They have run; nothing
    // in the cluster changes by it.
    origin: 'kube-webhook-certgen',
    old: certgen,
    print: [print],
  },
  {
    origin: 'Helm with genCA',
    old: helm,
    print: [print.replace(SERVING_FLAG, UPSTREAM_FLAGS)],
    caBundleOfChart: true,
    alongside: () => renderedByTemplate(helm),
  },
  {
    origin: 'cert-controller',
    old: certController,
    print: [print],
    stop: async (shell) => {
      await apply(oldDeployment(certController, ['--disable-cert-rotation']));
      await shell.run(block('cert-controller', 0));
    },
  },
  {
    origin: 'KubeTemplater',
    old: kubeTemplater,
    print: [block('KubeTemplater', 0), 'kubectl auth reconcile -f certd.yaml'],
  },
];
