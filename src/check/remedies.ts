import { FIELD_MANAGER } from '../cluster/field-manager.ts';
import type { CaBundleField } from '../cluster/targets.ts';
import type { Config } from '../config/config.ts';
import { type Access, type Denial, isOptional } from './access.ts';
import type { ContainerInfo, PodInfo } from './inspect-pod.ts';
import type { OtherManager } from './inspect-target.ts';
import { shellQuote, workloadCommands } from './kubectl.ts';
import { announcedHash, type ClusterSnapshot, type SeenTarget } from './snapshot.ts';

const subjectFlag = (user: string): string => {
  const [, , namespace, name] = user.split(':');
  const isAccount = user.startsWith('system:serviceaccount:') && name !== undefined;
  return isAccount ? `--serviceaccount=${namespace}:${name}` : `--user=${shellQuote(user)}`;
};

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/**
 * Grants what one permission lacks, as a role of its own: existing roles are somebody's manifests.
 *
 * @param denials of one and the same permission, at least one
 */
export const grantAccess = ({ user }: Pick<Access, 'user'>, denials: readonly Denial[]): string => {
  const [{ permission } = { permission: null }] = denials;
  if (permission === null) return '';
  const { apiGroup, resource, namespace } = permission;
  const verbs = unique(denials.map(({ verb }) => verb));
  const names = unique(denials.flatMap(({ name }) => name ?? []));
  const scope = namespace === null ? '' : ` -n ${namespace}`;
  const qualified = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
  if (user === null) return `kubectl auth can-i --list${scope}`;

  const kind = namespace === null ? 'clusterrole' : 'role';
  const called = `webhook-certd-${verbs.join('-')}-${resource.replace('/', '-')}`;
  const role = [
    `kubectl create ${kind} ${called}${scope}`,
    `--verb=${verbs.join(',')}`,
    `--resource=${qualified}`,
    ...names.map((name) => `--resource-name=${shellQuote(name)}`),
  ].join(' ');
  return `${role} && kubectl create ${kind}binding ${called}${scope} --${kind}=${called} ${subjectFlag(user)}`;
};

const patchOf = ({ path }: SeenTarget): string =>
  `kubectl patch ${path.type} ${shellQuote(path.name)} --field-manager=${FIELD_MANAGER} --type=json -p`;

/** Where the trust bundle is: beside the leaf, beside the CA, or the leaf itself when it has signed itself. */
const sourceOf = ({ secretName, issuer }: Config, secret: ClusterSnapshot['secret']) => {
  if (secret.state === 'there' && secret.value.trust.length > 0) return { name: secretName, key: 'ca' };
  return issuer.keepsCa ? { name: `${secretName}-ca`, key: 'ca-bundle' } : { name: secretName, key: 'tls' };
};

/** How a target's caBundle is put right, by the same patch that the leader would write. */
export const bundleRemedy = {
  /** Puts the trust bundle out of the Secret into these fields. */
  inject: ({ config, secret }: ClusterSnapshot, target: SeenTarget, fields: readonly CaBundleField[]): string => {
    const { name, key } = sourceOf(config, secret);
    const path = String.raw`'{.data.${key}\.crt}'`;
    const operations = fields.map(({ pointer }) => `{"op":"add","path":"${pointer}","value":"'"$CA"'"}`);
    return (
      `CA=$(kubectl get secret ${shellQuote(name)} -n ${config.namespace} -o jsonpath=${path}) && ` +
      `${patchOf(target)} '[${operations.join(',')}]'`
    );
  },
  /** Takes the field away from another manager in the API server's record of who owns what. */
  disown: (target: SeenTarget, { manager, managerPointer, ownerships }: OtherManager): string => {
    const operations = [
      { op: 'test', path: managerPointer, value: manager },
      ...ownerships.map((path) => ({ op: 'remove', path })),
    ];
    return `${patchOf(target)} ${shellQuote(JSON.stringify(operations))}`;
  },
} as const;

/** Leave to create is missed only where something is still to be made. */
const isMissed = ({ lease, secret, authority }: ClusterSnapshot, { permission, verb }: Denial): boolean => {
  if (isOptional(permission)) return false;
  if (verb !== 'create') return true;
  const looks = permission.resource === 'leases' ? [lease] : [secret, authority];
  return looks.some(({ state }) => state === 'absent');
};

/** What keeps a leader from working is mended first: it does the rest by itself. */
const permissionMend = (evidence: ClusterSnapshot): string | null => {
  for (const each of evidence.access) {
    const first = each.denials.find((denial) => isMissed(evidence, denial));
    if (first === undefined) continue;
    return grantAccess(
      each,
      each.denials.filter(({ permission }) => permission === first.permission),
    );
  }
  return null;
};

const wakeUp = (evidence: ClusterSnapshot): string => {
  const missing = permissionMend(evidence);
  if (missing !== null) return missing;
  const pods = workloadCommands.alive(evidence);
  const nobodyMay =
    pods.length > 0 &&
    pods.every(({ containers }) => containers.some(({ env }) => env.get('LEADER_ELECTION') === 'false'));
  return nobodyMay ? workloadCommands.setEnv(evidence, 'LEADER_ELECTION', 'true') : workloadCommands.restart(evidence);
};

/** How something that is the leader's work gets done. */
export const leaderRemedy = {
  /** There is no leader, or it does not do what it should. */
  wakeUp,
  /** Asks a living leader for a new leaf or a new CA; where there is none, gets one. */
  rotate: (evidence: ClusterSnapshot, what: 'leaf' | 'ca'): string => {
    const { config, renewal } = evidence;
    if (!renewal.renewed || permissionMend(evidence) !== null) return wakeUp(evidence);
    const lease = shellQuote(config.leaseName);
    return `kubectl annotate --overwrite lease ${lease} -n ${config.namespace} ${config.annotationPrefix}/rotate=${what}`;
  },
} as const;

const VOLUME = 'serving-certs';

/** Which of a Pod's containers is the webhook: the one that mounts the Secret, or has its port, or comes first. */
const webhookOf = ({ containers, mounts }: PodInfo, port: number | null): ContainerInfo | null => {
  const mounting = containers.find(({ name }) => mounts.some(({ container }) => container === name));
  const listening = containers.find(({ ports }) => port !== null && ports.includes(port));
  return mounting ?? listening ?? containers[0] ?? null;
};

/** How a Pod comes to mount the whole Secret at CERT_DIR. */
export const mountRemedy = {
  webhookOf,
  /** A strategic merge patch of the Pod template: mounts below CERT_DIR go, the directory comes. */
  template: (evidence: ClusterSnapshot, pod: PodInfo): string => {
    const { config } = evidence;
    const container = webhookOf(pod, config.webhookBind.port);
    const certDir = (container?.env.get('CERT_DIR') ?? config.certDir).replace(/(?<=.)\/+$/, '');
    const wrong = pod.mounts.filter(({ container: name, path }) => name === container?.name && path !== certDir);
    const name = pod.volume ?? VOLUME;
    const secret = { secretName: config.secretName, optional: true };
    const spec = {
      ...(pod.volume === null ? { volumes: [{ name, secret }] } : {}),
      containers: [
        {
          name: container?.name ?? '',
          volumeMounts: [
            ...wrong.map(({ path }) => ({ mountPath: path, $patch: 'delete' })),
            { mountPath: certDir, name, readOnly: true, subPath: null },
          ],
        },
      ],
    };
    const target = workloadCommands.target(config, [pod]);
    const patch = shellQuote(JSON.stringify({ spec: { template: { spec } } }));
    return `kubectl patch ${target} -n ${config.namespace} -p ${patch}`;
  },
  /** Any change of a Pod's annotations makes its kubelet look at the Secret at once. */
  nudge: ({ config, lease }: ClusterSnapshot, podName: string): string => {
    const hash = announcedHash({ lease }) ?? 'now';
    const annotation = `${config.annotationPrefix}/expected-hash`;
    const pod = `kubectl annotate --overwrite pod ${shellQuote(podName)} -n ${config.namespace}`;
    // It acts on a change only: the same hash again would be none.
    return `${pod} ${annotation}- && ${pod} ${annotation}=${hash}`;
  },
} as const;

/**
 * A webhook that is asked about everything stops the API server from answering who may do what, at the cluster's scope,
 * where no namespaceSelector keeps it away. Confines it to what is in namespaces.
 *
 * @param message a refusal of the API server
 * @returns null when the refusal is not for a webhook of ours
 */
export const scopeRemedy = ({ targets }: ClusterSnapshot, message: string): string | null => {
  const name = /failed calling webhook "([^"]+)"/.exec(message)?.[1];
  for (const { path, look } of targets) {
    const webhooks = look.state === 'there' ? look.value.webhooks : [];
    const at = webhooks.findIndex((webhook) => webhook.name === name);
    const rules = webhooks[at]?.rules ?? [];
    if (rules.length === 0) continue;
    const operations = rules.map((_, rule) => ({
      op: 'add',
      path: `/webhooks/${at}/rules/${rule}/scope`,
      value: 'Namespaced',
    }));
    const patch = shellQuote(JSON.stringify(operations));
    return `kubectl patch ${path.type} ${shellQuote(path.name)} --type=json -p ${patch}`;
  }
  return null;
};

/** The whole names and key of a new self-signed pair, as a Secret: what a person does who has no issuer at hand. */
const byHand = ({ config }: ClusterSnapshot): string => {
  const names = config.serviceNames.map((name) => `DNS:${name}`).join(',');
  const [secret, namespace] = [shellQuote(config.secretName), config.namespace];
  return [
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 365',
    `-subj /CN=${config.serviceName} -addext ${shellQuote(`subjectAltName=${names}`)}`,
    `&& kubectl create secret generic ${secret} -n ${namespace} --type=kubernetes.io/tls`,
    '--from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt --dry-run=client -o yaml',
    '| kubectl apply --server-side --force-conflicts -f -',
  ].join(' ');
};

/** How the serving Secret gets a good pair: by the leader, by cert-manager, or by hand. */
export const secretRemedy = {
  newPair: (evidence: ClusterSnapshot): string => {
    const { config, secret } = evidence;
    if (config.issuer.writesSecret) return leaderRemedy.rotate(evidence, 'leaf');
    const managed = secret.state === 'there' && secret.value.certificateName !== null;
    // cert-manager issues again into a Secret that is gone.
    if (managed) return `kubectl delete secret ${shellQuote(config.secretName)} -n ${config.namespace}`;
    return byHand(evidence);
  },
  /** Where the names are the Certificate's, they have to be put right there. */
  newNames: (evidence: ClusterSnapshot): string => {
    const { config, secret } = evidence;
    const certificate = secret.state === 'there' ? secret.value.certificateName : null;
    if (config.issuer.writesSecret || certificate === null) return secretRemedy.newPair(evidence);
    const patch = JSON.stringify({ spec: { dnsNames: config.serviceNames } });
    return `kubectl patch certificate ${shellQuote(certificate)} -n ${config.namespace} --type=merge -p ${shellQuote(patch)}`;
  },
} as const;
