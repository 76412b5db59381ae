import { missingNames } from '../certificates/certificate-info.ts';
import { verifyChain } from '../certificates/verify-chain.ts';
import { immutable } from './check-ca.ts';
import { type SecretInfo, trustAnchors } from './inspect-secrets.ts';
import { replaceNames, replacePair } from './pair-remedies.ts';
import { inspectLeader } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import { recreateMutable, setAside, showTrustBundle } from './secret-remedies.ts';
import { announcedHash, type ClusterSnapshot } from './snapshot.ts';

const checkType = (snapshot: ClusterSnapshot, secret: SecretInfo): CheckResult => {
  const name = 'Secret is of type kubernetes.io/tls';
  const { config, paths } = snapshot;
  if (secret.type === 'kubernetes.io/tls') return ok(name, '');
  const remedy = setAside(snapshot, config.secretName, paths.secret.path, secret);
  return warn(name, `its type ${secret.type} cannot be changed; it is issued again once deleted`, remedy);
};

/** Whether the leader may write it: it overwrites nothing of another party. */
const checkOwner = (snapshot: ClusterSnapshot, secret: SecretInfo): readonly CheckResult[] => {
  const { config, paths } = snapshot;
  if (secret.foreign === null) return [];
  const detail = `webhook-certd did not write Secret ${config.secretName} and does not overwrite it: ${secret.foreign}. Name another one in SECRET_NAME, or set this one aside, so that the leader issues into its place`;
  return [
    fail(
      'Secret is that of this installation',
      detail,
      setAside(snapshot, config.secretName, paths.secret.path, secret),
    ),
  ];
};

const checkMutable = (snapshot: ClusterSnapshot, { isImmutable }: SecretInfo): readonly CheckResult[] => {
  const { config } = snapshot;
  if (!isImmutable) return [];
  if (config.issuer.writesSecret) return [immutable(snapshot, config.secretName)];
  const remedy = recreateMutable(snapshot, config.secretName);
  return [warn(`Secret ${config.secretName} can be changed`, 'it is immutable, so its issuer cannot renew it', remedy)];
};

const checkPair = (snapshot: ClusterSnapshot, { hash, problem }: SecretInfo): CheckResult => {
  const name = "Secret's key matches its certificate";
  const detail = hash === null ? 'it has no tls.crt' : problem;
  return detail === null ? ok(name, '') : fail(name, detail, replacePair(snapshot));
};

const checkAnnouncedHash = (snapshot: ClusterSnapshot, { hash }: SecretInfo): CheckResult => {
  const name = "Secret's certificate is the announced one";
  const announced = announcedHash(snapshot);
  if (announced === null || hash === null) return skipped(name, 'nothing to compare');
  if (announced === hash) return ok(name, hash.slice(0, 12));
  const detail = `Secret: ${hash.slice(0, 12)}, announced: ${announced.slice(0, 12)}`;
  return fail(name, detail, inspectLeader(snapshot));
};

const checkNames = (snapshot: ClusterSnapshot, { chain: [leaf] }: SecretInfo): CheckResult => {
  const name = 'certificate carries the names of the Service';
  if (leaf === undefined) return skipped(name, 'there is no readable certificate');
  const missing = missingNames(leaf, snapshot.config.requiredNames);
  const { serviceName, namespace, requiredNames } = snapshot.config;
  const more = requiredNames.length === 1 ? '' : ` and ${requiredNames.length - 1} more`;
  if (missing.length === 0) return ok(name, `${serviceName}.${namespace}.svc${more}`);
  const detail = `it lacks ${missing.join(', ')}`;
  return fail(name, detail, replaceNames(snapshot));
};

/** An external issuer's pair is not replaced on account of a ca.crt that does not fit it. */
const chainRemedy = (snapshot: ClusterSnapshot): string =>
  snapshot.config.issuer.writesSecret ? replacePair(snapshot) : showTrustBundle(snapshot);

const checkTrustBundle = (snapshot: ClusterSnapshot, { trust, trustProblem }: SecretInfo): CheckResult => {
  const name = 'ca.crt is readable';
  if (trustProblem === null) return ok(name, trust.length === 1 ? '1 CA' : `${trust.length} CAs`);
  const { issuer } = snapshot.config;
  const advice = issuer.writesSecret ? '' : '; it has to be corrected by the issuer of the Secret';
  const report = trust.length === 0 ? fail : warn;
  const remedy = issuer.writesSecret ? inspectLeader(snapshot) : showTrustBundle(snapshot);
  return report(name, `ca.crt: ${trustProblem}${advice}`, remedy);
};

const checkChain = (snapshot: ClusterSnapshot, secret: SecretInfo): CheckResult => {
  const [leaf, ...intermediates] = secret.chain;
  const trust = snapshot.config.issuer.keepsCa ? secret.trust : trustAnchors(secret);
  const name = 'certificate chains to the ca.crt beside it';
  if (leaf === undefined) return skipped(name, 'there is no readable certificate');
  if (trust.length === 0 && secret.trustProblem === null && snapshot.config.issuer.readsSource)
    return skipped(name, 'neither this Secret nor SOURCE_SECRET has a ca.crt');
  if (trust.length === 0)
    return secret.trustProblem === null
      ? fail(name, 'Secret has no ca.crt', chainRemedy(snapshot))
      : skipped(name, 'ca.crt is not readable');
  // The expiry of the leaf is a check of its own.
  const objection = verifyChain({ leaf, intermediates, anchors: trust }, snapshot.nowMs);
  return objection === null ? ok(name, '') : fail(name, objection.detail, chainRemedy(snapshot));
};

/** Checks the Secret that replicas mount. */
export const checkSecret = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'Secret exists';
  const { secret, config } = snapshot;
  if (secret.state === 'absent') {
    const { writesSecret, readsSource } = config.issuer;
    const done = readsSource ? 'copied' : 'issued';
    const whose = writesSecret ? `the leader has not ${done} it` : 'its issuer has not written it';
    const detail = `there is no Secret ${config.secretName} in ${config.namespace}: ${whose}`;
    const remedy = writesSecret ? inspectLeader(snapshot) : replacePair(snapshot);
    return [fail(name, detail, remedy)];
  }
  if (secret.state !== 'there') return [unreadable(name, secret, snapshot.paths.secret.path)];
  return [
    ok(name, config.secretName),
    ...checkOwner(snapshot, secret.value),
    ...checkMutable(snapshot, secret.value),
    ...[checkType, checkPair, checkAnnouncedHash, checkNames, checkTrustBundle, checkChain].map((check) =>
      check(snapshot, secret.value),
    ),
  ];
};
