import type { Permission } from '../cluster/permissions.ts';
import type { CaBundleField } from '../cluster/targets.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import { type Access, type Denial, isOptional } from './access.ts';
import type { PodInfo } from './inspect-pod.ts';
import { type CaInfo, type SecretInfo, trustAnchors } from './inspect-secrets.ts';
import type { OtherManager } from './inspect-target.ts';
import { alivePods, inspectReplicas, shellQuote, showPod, workloadOf } from './kubectl.ts';
import { isDeniedByRbac } from './probe-writes.ts';
import type { ClusterSnapshot, TargetSnapshot } from './snapshot.ts';

const subjectFlag = (user: string): string => {
  const [, , namespace, name] = user.split(':');
  const isAccount = user.startsWith('system:serviceaccount:') && name !== undefined;
  return isAccount ? `--serviceaccount=${namespace}:${name}` : `--user=${shellQuote(user)}`;
};

/** Keeps the roles of two installations apart. */
const accountSuffix = (user: string): string => {
  const [, account, namespace, name] = user.split(':');
  return account === 'serviceaccount' && name !== undefined ? `-${namespace}-${name}` : '';
};

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/**
 * Grants what is denied of a permission, as a role of its own: existing roles belong to manifests.
 *
 * @param denials of this permission, at least one
 */
export const grantAccess = (
  { user }: Pick<Access, 'user'>,
  { apiGroup, resource, namespace }: Permission,
  denials: readonly Denial[],
): string => {
  const verbs = unique(denials.map(({ verb }) => verb));
  const names = unique(denials.flatMap(({ name }) => name ?? []));
  const scope = namespace === null ? '' : ` -n ${namespace}`;
  const qualified = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
  if (user === null) return `kubectl auth can-i --list${scope}`;

  const kind = namespace === null ? 'clusterrole' : 'role';
  const roleName = `webhook-certd-${verbs.join('-')}-${resource.replace('/', '-')}${accountSuffix(user)}`;
  const role = [
    `kubectl create ${kind} ${roleName}${scope}`,
    `--verb=${verbs.join(',')}`,
    `--resource=${qualified}`,
    ...names.map((name) => `--resource-name=${shellQuote(name)}`),
  ].join(' ');
  return `${role} && kubectl create ${kind}binding ${roleName}${scope} --${kind}=${roleName} ${subjectFlag(user)}`;
};

/** A missing permission to create an object matters only while the object does not exist. */
const isNeeded = ({ lease, secret, ca }: ClusterSnapshot, { permission, verb }: Denial): boolean => {
  if (isOptional(permission)) return false;
  if (verb !== 'create') return true;
  const objects = permission.resource === 'leases' ? [lease] : [secret, ca];
  return objects.some(({ state }) => state === 'absent');
};

/** Grants what is denied of the first permission with such a denial; null when nothing like it is denied. */
export const grantMissing = (
  { access }: Pick<ClusterSnapshot, 'access'>,
  isMeant: (denial: Denial) => boolean,
): string | null => {
  for (const each of access) {
    const denials = each.denials.filter(isMeant);
    const [first] = denials;
    if (first === undefined) continue;
    const { permission } = first;
    return grantAccess(
      each,
      permission,
      denials.filter((denial) => denial.permission === permission),
    );
  }
  return null;
};

/** The command that grants the first missing permission a leader needs: with it, the leader does the rest. */
const missingPermission = (snapshot: ClusterSnapshot): string | null =>
  grantMissing(snapshot, (denial) => isNeeded(snapshot, denial));

/** The first of the Pods where none of them may lead; null where one may, or there is none. */
export const neverLeading = (snapshot: ClusterSnapshot): PodInfo | null => {
  const { byPod } = snapshot.located;
  const pods = alivePods(snapshot);
  const mayNot = (pod: PodInfo): boolean =>
    byPod.get(pod.name)?.leaderElection === false || hasVariable(pod, 'LEADER_ELECTION', 'false');
  const [first] = pods;
  return first !== undefined && pods.every(mayNot) ? first : null;
};

const hasVariable = ({ containers }: PodInfo, name: string, value: string): boolean =>
  containers.some(({ env }) => env.get(name) === value);

/** Lets replicas lead where a variable of their workload forbids it; any other setting has to be changed where it comes from. */
const enableElection = ({ config }: ClusterSnapshot, pod: PodInfo): string => {
  const workload = workloadOf(pod);
  if (workload === null || !hasVariable(pod, 'LEADER_ELECTION', 'false')) return showPod({ config }, pod);
  const set = `kubectl set env ${workload} -n ${config.namespace}`;
  return `${set} --list | grep -qx LEADER_ELECTION=false && ${set} LEADER_ELECTION=true`;
};

/**
 * The remedy when there is no leader, or the leader does not do its work: a missing permission is granted, and otherwise
 * the replicas' log says why.
 */
export const inspectLeader = (snapshot: ClusterSnapshot): string => {
  const grant = missingPermission(snapshot);
  if (grant !== null) return grant;
  const pod = neverLeading(snapshot);
  return pod === null ? inspectReplicas(snapshot) : enableElection(snapshot, pod);
};

/** Requests a new leaf or CA from a working leader; without one, gets a leader first. */
export const requestRotation = (snapshot: ClusterSnapshot, what: 'leaf' | 'ca'): string => {
  const { config, renewal } = snapshot;
  if (!renewal.renewed || missingPermission(snapshot) !== null) return inspectLeader(snapshot);
  const lease = shellQuote(config.leaseName);
  return `kubectl annotate --overwrite lease ${lease} -n ${config.namespace} ${config.annotationPrefix}/rotate=${what}`;
};

const patchCommand = ({ path }: TargetSnapshot): string =>
  `kubectl patch ${path.type} ${shellQuote(path.name)} --field-manager=${FIELD_MANAGER} --type=json -p`;

/**
 * The Secret and key of the trust bundle: beside the leaf, beside the CA, or the leaf itself when it is self-signed.
 * Null when there is none that can be injected as it is: a leaf of another CA would be outdated by its next renewal.
 */
const trustSource = ({ config: { secretName, issuer }, secret }: ClusterSnapshot) => {
  const info = secret.state === 'there' && secret.value.trustProblem === null ? secret.value : null;
  if (info !== null && info.trust.length > 0) return { name: secretName, key: 'ca' };
  if (issuer.keepsCa) return { name: `${secretName}-ca`, key: 'ca-bundle' };
  return info !== null && trustAnchors(info).length > 0 ? { name: secretName, key: 'tls' } : null;
};

/** Writes the trust bundle into caBundle fields, by the same patch as the leader. */
export const injectCaBundle = (
  snapshot: ClusterSnapshot,
  target: TargetSnapshot,
  fields: readonly CaBundleField[],
): string => {
  const source = trustSource(snapshot);
  if (source === null) return showTrustBundle(snapshot);
  const { name, key } = source;
  const { config } = snapshot;
  const path = String.raw`'{.data.${key}\.crt}'`;
  const operations = fields.map(({ pointer }) => `{"op":"add","path":"${pointer}","value":"'"$CA"'"}`);
  return (
    `CA=$(kubectl get secret ${shellQuote(name)} -n ${config.namespace} -o jsonpath=${path}) && test -n "$CA" && ` +
    `${patchCommand(target)} '[${operations.join(',')}]'`
  );
};

/** The remedy for a rejected write of a caBundle; null when a missing permission of the check itself is the reason. */
export const allowWrite = (snapshot: ClusterSnapshot, { path, object, write }: TargetSnapshot): string | null => {
  if (write.state !== 'rejected') return null;
  if (isDeniedByRbac(write.why)) {
    const plural = path.collection.slice(path.collection.lastIndexOf('/') + 1);
    return grantMissing(
      snapshot,
      ({ permission, verb, name }) => permission.resource === plural && verb === 'patch' && name === path.name,
    );
  }
  if (object.state === 'there' && object.value.skipsVerification) {
    const patch = JSON.stringify([{ op: 'remove', path: '/spec/insecureSkipTLSVerify' }]);
    return `kubectl patch ${path.type} ${shellQuote(path.name)} --type=json -p ${shellQuote(patch)}`;
  }
  return `kubectl get ${path.type} ${shellQuote(path.name)} -o yaml`;
};

/** Removes another manager's ownership of caBundle fields from managedFields. */
export const removeFieldOwnership = (
  target: TargetSnapshot,
  { manager, managerPointer, ownerships }: OtherManager,
): string => {
  const operations = [
    { op: 'test', path: managerPointer, value: manager },
    ...ownerships.map((path) => ({ op: 'remove', path })),
  ];
  return `${patchCommand(target)} ${shellQuote(JSON.stringify(operations))}`;
};

/**
 * Restricts a webhook to namespaced objects. A webhook that matches everything stops the API server from reviewing
 * permissions at the cluster scope, where no namespaceSelector applies.
 *
 * @param message an error of the API server
 * @returns null when the error does not name a webhook of a target
 */
export const confineToNamespaces = ({ targets }: ClusterSnapshot, message: string): string | null => {
  const name = /failed calling webhook "([^"]+)"/.exec(message)?.[1];
  for (const { path, object } of targets) {
    if (object.state !== 'there') continue;
    const { webhooks } = object.value;
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

type Read = SecretInfo | CaInfo;

const secretFlag = ({ config }: Pick<ClusterSnapshot, 'config'>, name: string): string =>
  `secret ${shellQuote(name)} -n ${config.namespace}`;

/** Prints `ca.crt`, for a problem that only the issuer of the Secret can fix. */
export const showTrustBundle = (snapshot: Pick<ClusterSnapshot, 'config'>): string =>
  `kubectl get ${secretFlag(snapshot, snapshot.config.secretName)} -o jsonpath=${String.raw`'{.data.ca\.crt}'`} | base64 -d`;

/** Shows who holds the Lease, and what is announced on it. */
export const describeLease = ({ config }: Pick<ClusterSnapshot, 'config'>): string =>
  `kubectl describe lease ${shellQuote(config.leaseName)} -n ${config.namespace}`;

/** Shows what a Secret holds, without the values. */
export const describeSecret = (snapshot: Pick<ClusterSnapshot, 'config'>, name: string): string =>
  `kubectl describe ${secretFlag(snapshot, name)}`;

/** Deletes a Secret, if it is still the one that was read. */
const deleteSecret = (path: string, { resourceVersion }: Read): string => {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } };
  return `echo ${shellQuote(JSON.stringify(options))} | kubectl delete --raw ${shellQuote(path)} -f -`;
};

/** Saves a Secret to a file and deletes it, if it is still the one that was read, so that the leader issues again. */
export const setAside = (snapshot: Pick<ClusterSnapshot, 'config'>, name: string, path: string, read: Read): string => {
  const file = shellQuote(`${name}.backup.yaml`);
  return `(umask 077 && kubectl get ${secretFlag(snapshot, name)} -o yaml > ${file}) && ${deleteSecret(path, read)}`;
};

/** Recreates a Secret with the same data and without `immutable`, which cannot be unset otherwise. */
export const recreateMutable = (snapshot: Pick<ClusterSnapshot, 'config'>, name: string): string => {
  const get = `kubectl get ${secretFlag(snapshot, name)} -o`;
  const isImmutable = `test "$(${get} jsonpath='{.immutable}')" = true`;
  return `${isImmutable} && ${get} json | sed 's/"immutable": true/"immutable": false/' | kubectl replace --force -f -`;
};

/**
 * Makes a self-signed pair with the right names, for users without an issuer at hand: into a Secret that does not exist,
 * or in the place of the pair that was read.
 */
const createSelfSignedPair = (snapshot: ClusterSnapshot): string => {
  const { config, secret } = snapshot;
  const names = config.serviceNames.map((name) => `DNS:${name}`).join(',');
  const request = [
    '(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 365',
    `-subj /CN=${config.serviceName} -addext ${shellQuote(`subjectAltName=${names}`)}) &&`,
  ].join(' ');
  if (secret.state !== 'there') {
    const create = `kubectl create secret generic ${shellQuote(config.secretName)} -n ${config.namespace}`;
    return `${request} ${create} --type=kubernetes.io/tls --from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt`;
  }
  const { resourceVersion } = secret.value;
  const value = (file: string): string => `"'"$(base64 <${file} | tr -d '\\n')"'"`;
  const operations = [
    `{"op":"test","path":"/metadata/resourceVersion","value":"${resourceVersion}"}`,
    ...Object.entries({ 'tls.crt': 'tls.crt', 'tls.key': 'tls.key', 'ca.crt': 'tls.crt' }).map(
      ([key, file]) => `{"op":"add","path":"/data/${key}","value":${value(file)}}`,
    ),
  ];
  return `${request} kubectl patch ${secretFlag(snapshot, config.secretName)} --type=json -p '[${operations.join(',')}]'`;
};

/** Gets a new pair into the serving Secret: from the leader, from cert-manager, or by hand. */
export const replacePair = (snapshot: ClusterSnapshot): string => {
  const { config, paths, secret } = snapshot;
  const info = secret.state === 'there' ? secret.value : null;
  // The leader copies the pair, as soon as its source can be used.
  if (config.issuer.readsSource && info?.foreign == null) return inspectLeader(snapshot);
  if (config.issuer.writesSecret)
    return info !== null && info.foreign !== null
      ? setAside(snapshot, config.secretName, paths.secret.path, info)
      : requestRotation(snapshot, 'leaf');
  // cert-manager issues again into a deleted Secret.
  return info !== null && info.certificateName !== null
    ? deleteSecret(paths.secret.path, info)
    : createSelfSignedPair(snapshot);
};

/** Gets a leaf with the right names. Names that a cert-manager Certificate lists have to be changed there. */
export const replaceNames = (snapshot: ClusterSnapshot): string => {
  const { config, secret } = snapshot;
  const certificate = secret.state === 'there' ? secret.value.certificateName : null;
  if (config.issuer.writesSecret || certificate === null) return replacePair(snapshot);
  const patch = JSON.stringify({ spec: { dnsNames: config.serviceNames } });
  return `kubectl patch certificate ${shellQuote(certificate)} -n ${config.namespace} --type=merge -p ${shellQuote(patch)}`;
};
