import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueLeaf } from '../../src/certificates/issue.ts';
import type { Installation } from './installation.ts';
import { type MountedPair, pki } from './pki.ts';
import { type Json, type RawApi, valueAt } from './raw-api.ts';

/** A webhook configuration, and the Secrets beside its Service, on any API server. */
export interface Place {
  readonly api: { readonly admin: RawApi };
  readonly namespace: string;
  readonly paths: Pick<Installation['paths'], 'secret' | 'target'>;
}

/** Where a webhook has its certificate from before it moves in, laid out as that program leaves it. */
export interface Origin {
  readonly name: string;
  /** The Secrets by name, without their namespace. */
  readonly secrets: (pair: MountedPair, caKey: string) => Readonly<Record<string, { type: string; data: Json }>>;
  /** Who writes the caBundle, as managedFields name it. */
  readonly manager: string;
  /** Annotations of the webhook configuration. */
  readonly annotations?: (namespace: string) => Readonly<Record<string, string>>;
  /** Overwrites each other caBundle for as long as this holds; absent: it writes once. */
  readonly insists?: (target: Json | undefined, stopped: boolean) => boolean;
  /** The step of the guide that ends that, by the path of the target; null where the old program must be told. */
  readonly stop?: (place: Place) => Promise<void>;
}

const base64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64');
const tls = ({ certificate, key }: MountedPair) => ({ 'tls.crt': base64(certificate), 'tls.key': base64(key) });
const INJECT = 'cert-manager.io/inject-ca-from';

const annotationsOf = (target: Json | undefined): Readonly<Record<string, string>> =>
  (target as { metadata?: { annotations?: Record<string, string> } } | undefined)?.metadata?.annotations ?? {};

export const ORIGINS: readonly Origin[] = [
  {
    name: 'cert-manager with inject-ca-from',
    secrets: (pair) => ({
      'webhook-server-cert': { type: 'kubernetes.io/tls', data: { ...tls(pair), 'ca.crt': base64(pair.trust) } },
    }),
    manager: 'cert-manager-cainjector',
    annotations: (namespace) => ({ [INJECT]: `${namespace}/serving-cert` }),
    insists: (target) => annotationsOf(target)[INJECT] !== undefined,
    stop: async ({ api, paths }) => {
      await api.admin.patch('merge', paths.target, { metadata: { annotations: { [INJECT]: null } } });
    },
  },
  {
    name: 'kube-webhook-certgen',
    secrets: ({ certificate, key, trust }) => ({
      'ingress-nginx-admission': {
        type: 'Opaque',
        data: { ca: base64(trust), cert: base64(certificate), key: base64(key) },
      },
    }),
    manager: 'kube-webhook-certgen',
  },
  {
    name: 'Helm with genCA',
    secrets: (pair) => ({
      'release-webhook-tls': { type: 'kubernetes.io/tls', data: { ...tls(pair), 'ca.crt': base64(pair.trust) } },
    }),
    manager: 'helm',
    annotations: (namespace) => ({
      'meta.helm.sh/release-name': 'release',
      'meta.helm.sh/release-namespace': namespace,
    }),
  },
  {
    name: 'cert-controller',
    secrets: (pair, caKey) => ({
      'webhook-server-cert': {
        type: 'Opaque',
        data: { ...tls(pair), 'ca.crt': base64(pair.trust), 'ca.key': base64(caKey) },
      },
    }),
    manager: 'gatekeeper',
    insists: (_target, stopped) => !stopped,
  },
  {
    name: 'KubeTemplater',
    secrets: (pair, caKey) => ({
      'kubetemplater-webhook-cert': { type: 'kubernetes.io/tls', data: tls(pair) },
      'kubetemplater-webhook-cert-ca': {
        type: 'Opaque',
        data: { 'ca.crt': base64(pair.trust), 'ca.key': base64(caKey) },
      },
    }),
    manager: 'manager',
  },
];

/** The names of the Secrets that it leaves. */
export const secretNames = (origin: Origin): readonly string[] =>
  Object.keys(origin.secrets({ certificate: Buffer.of(), key: Buffer.of(), trust: Buffer.of(), hash: '' }, ''));

/** A pair for the address that the specs call, and the key of its CA. */
export const originPair = async (serverName: string): Promise<readonly [MountedPair, string]> => {
  const authority = await pki.authority();
  const order = { authority, names: ['localhost', serverName], algorithm: 'rsa-2048', nowMs: Date.now() } as const;
  const leaf = await issueLeaf({ ...order, validityMs: 86_400_000 });
  return [pki.mounted(leaf.certificatePem, leaf.keyPem, authority.certificatePem), authority.keyPem];
};

/** Creates what the origin would have left behind. */
export const layOut = async (origin: Origin, place: Place, pair: MountedPair, caKey: string) => {
  const { api, namespace, paths } = place;
  const collection = dirname(paths.secret);
  for (const [name, body] of Object.entries(origin.secrets(pair, caKey))) {
    const { status, text } = await api.admin.post(`${collection}?fieldManager=${origin.manager}`, {
      metadata: { name },
      ...body,
    });
    if (status !== 201) throw new Error(text);
  }
  const annotations = origin.annotations?.(namespace) ?? {};
  await api.admin.patch('merge', paths.target, { metadata: { annotations } });
  await writeBundle(origin, place, pair.trust);
};

/** Writes the caBundle as the origin does: this CA alone. */
export const writeBundle = async ({ manager }: Origin, { api, paths }: Place, trust: Buffer): Promise<void> => {
  const operation = { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: base64(trust) };
  const { status, text } = await api.admin.patch('json', `${paths.target}?fieldManager=${manager}`, [operation]);
  if (status !== 200) throw new Error(text);
};

/** Overwrites the caBundle whenever it is another one, for as long as the origin insists. */
export const injecting = (origin: Origin, place: Place, trust: Buffer, pauseMs = 10) => {
  let [isOver, stopped] = [false, false];
  const { api, paths } = place;
  const inject = async (): Promise<void> => {
    while (!isOver) {
      const target = (await api.admin.get(paths.target)).at();
      const bundle = valueAt(target, ['webhooks', 0, 'clientConfig', 'caBundle']);
      if (origin.insists?.(target, stopped) === true && bundle !== trust.toString('base64'))
        await writeBundle(origin, place, trust);
      await sleep(pauseMs);
    }
  };
  const injected = inject();
  injected.catch(() => undefined);
  return {
    stop: () => (stopped = true),
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await injected;
    },
  };
};
