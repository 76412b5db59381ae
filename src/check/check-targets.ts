import type { X509Certificate } from 'node:crypto';
import { readBundle } from '../certificates/pem.ts';
import { verifyChain } from '../certificates/verify-chain.ts';
import type { CaBundleField } from '../cluster/targets.ts';
import { trustAnchors } from './inspect-secrets.ts';
import type { TargetInfo } from './inspect-target.ts';
import { shellQuote } from './kubectl.ts';
import { allowWrite, injectCaBundle, removeFieldOwnership } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import { type ClusterSnapshot, ownCalls, type TargetSnapshot } from './snapshot.ts';

/** What callers read of a caBundle: the API server passes over a block that is broken. */
const read = ({ pem }: CaBundleField): readonly X509Certificate[] => readBundle(pem).certificates;

const describe = ({ subject, fingerprint256 }: X509Certificate): string =>
  (subject as string | undefined)?.split('\n').join(', ') ?? fingerprint256.slice(0, 23);

/** Fingerprints of every CA of this installation; null when none can be read. */
const ownCas = ({ secret, ca }: ClusterSnapshot): ReadonlySet<string> | null => {
  const published =
    secret.state === 'there' ? trustAnchors(secret.value).map(({ fingerprint256 }) => fingerprint256) : [];
  const bundle = ca.state === 'there' ? (ca.value.bundle ?? []) : [];
  const formatted = bundle.map(({ fingerprint }) => fingerprint.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:'));
  return published.length + formatted.length === 0 ? null : new Set([...published, ...formatted]);
};

/** Whether CA_OVERLAP runs. With an external issuer, the previous CA is kept in the caBundles alone during that time. */
const isOverlapping = ({ config, lease, renewal, nowMs }: ClusterSnapshot): boolean => {
  if (config.issuer.keepsCa || !renewal.renewed || lease.state !== 'there') return false;
  const { servedSinceMs } = lease.value;
  return servedSinceMs === null || nowMs < servedSinceMs + config.caOverlapMs + config.leaseDurationMs;
};

const checkTrust = (
  snapshot: ClusterSnapshot,
  target: TargetSnapshot,
  fields: readonly CaBundleField[],
): CheckResult => {
  const name = `${target.path.id} trusts the serving certificate`;
  const [leaf, ...intermediates] = snapshot.secret.state === 'there' ? snapshot.secret.value.chain : [];
  if (leaf === undefined) return skipped(name, 'there is no readable certificate');
  const failing = fields.flatMap((field) => {
    const anchors = read(field);
    if (anchors.length === 0) return [{ field, why: field.pem === '' ? 'caBundle is empty' : 'caBundle is not PEM' }];
    const objection = verifyChain({ leaf, intermediates, anchors }, snapshot.nowMs);
    return objection === null ? [] : [{ field, why: objection.detail.replace('in ca.crt', 'in caBundle') }];
  });
  const [first] = failing;
  if (first === undefined) return ok(name, fields.length === 1 ? '1 caBundle' : `${fields.length} caBundles`);
  const where = fields.length === 1 ? '' : `${failing.length} of ${fields.length} do not, ${first.field.pointer}: `;
  const failingFields = failing.map(({ field }) => field);
  return fail(name, `${where}${first.why}`, injectCaBundle(snapshot, target, failingFields));
};

const checkUnknownCas = (
  snapshot: ClusterSnapshot,
  target: TargetSnapshot,
  fields: readonly CaBundleField[],
): CheckResult => {
  const name = `${target.path.id} has no unknown CAs`;
  const own = ownCas(snapshot);
  if (own === null) return skipped(name, 'no CA of this installation is readable');
  const affected = fields.filter((field) => read(field).some(({ fingerprint256 }) => !own.has(fingerprint256)));
  if (affected.length === 0) return ok(name, '');
  if (isOverlapping(snapshot)) return ok(name, 'except for the previous CA, during CA_OVERLAP');
  const unknown = affected.flatMap(read).filter(({ fingerprint256 }) => !own.has(fingerprint256));
  const detail = `its caBundle contains ${[...new Set(unknown.map(describe))].join('; ')}, not a CA of this installation`;
  return warn(name, detail, injectCaBundle(snapshot, target, affected));
};

const checkManagers = (
  target: TargetSnapshot,
  { otherManagers, webhooks }: TargetInfo,
  fields: readonly CaBundleField[],
): CheckResult => {
  const name = `no other field manager writes caBundle of ${target.path.id}`;
  const isOwn = (at: number): boolean => fields.some(({ pointer }) => pointer.startsWith(`/webhooks/${at}/`));
  const others = webhooks.filter((_, at) => !isOwn(at)).map((webhook) => `k:${JSON.stringify({ name: webhook.name })}`);
  const [manager] = otherManagers
    .map((each) => ({
      ...each,
      ownerships: each.ownerships.filter((pointer) => !others.some((key) => pointer.includes(key))),
    }))
    .filter(({ ownerships }) => ownerships.length > 0);
  if (manager === undefined) return ok(name, '');
  const detail = `${manager.manager} owns the field too; omit caBundle from the manifest it applies, then remove its ownership`;
  return warn(name, detail, removeFieldOwnership(target, manager));
};

const checkServers = (
  snapshot: ClusterSnapshot,
  { path }: TargetSnapshot,
  { calls }: TargetInfo,
): readonly CheckResult[] => {
  const own = ownCalls(snapshot, { calls });
  const servers = [...new Set(calls.filter((call) => !own.includes(call)).map(({ server }) => server))].join(', ');
  if (servers === '') return [];
  const { serviceName, namespace } = snapshot.config;
  const others = `${path.id} calls other servers`;
  if (own.length > 0) return [skipped(others, `not of this installation, left unchanged: ${servers}`)];
  const detail = `it calls ${servers} only, not ${serviceName}.${namespace}.svc (SERVICE_NAME)`;
  const show = `kubectl get ${path.type} ${shellQuote(path.name)} -o yaml`;
  return [fail(`${path.id} calls the Service of this installation`, detail, show)];
};

const checkWrite = (snapshot: ClusterSnapshot, target: TargetSnapshot): readonly CheckResult[] => {
  const name = `${target.path.id} accepts writes of caBundle`;
  const { write } = target;
  if (write.state === 'unknown') return [];
  if (write.state === 'accepted') return [ok(name, 'by a dry run')];
  const remedy = allowWrite(snapshot, target);
  return [
    remedy === null
      ? skipped(name, 'the user of this check has no permission for a dry run')
      : fail(name, `the API server rejects it: ${write.why}`, remedy),
  ];
};

/** Checks every caBundle of CA_BUNDLE_TARGETS. */
export const checkTargets = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  if (snapshot.targets.length === 0) return [skipped('CA bundles are correct', 'CA_BUNDLE_TARGETS is empty')];
  return snapshot.targets.flatMap((target) => {
    const { object, path } = target;
    const name = `${path.id} exists`;
    if (object.state === 'absent') {
      const remedy = `kubectl get ${path.type} -o custom-columns=NAME:.metadata.name,SERVICE:${shellQuote('.webhooks[*].clientConfig.service.name')}`;
      return [fail(name, 'CA_BUNDLE_TARGETS names it, but it does not exist', remedy)];
    }
    if (object.state !== 'there') return [unreadable(name, object, path.path)];
    if (object.value.calls.length === 0) {
      return [warn(name, 'it has no caBundle field', `kubectl get ${path.type} ${shellQuote(path.name)} -o yaml`)];
    }
    const fields = ownCalls(snapshot, object.value).map(({ field }) => field);
    if (fields.length === 0) return checkServers(snapshot, target, object.value);
    return [
      checkTrust(snapshot, target, fields),
      checkUnknownCas(snapshot, target, fields),
      checkManagers(target, object.value, fields),
      ...checkWrite(snapshot, target),
      ...checkServers(snapshot, target, object.value),
    ];
  });
};
