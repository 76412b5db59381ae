import { desiredTrust } from '../../streams/plan-external.ts';
import { sourceProblem } from '../../streams/plan-relay.ts';
import { missingNames } from '../certificates/certificate-info.ts';
import { verifyChain } from '../certificates/verify-chain.ts';
import type { NamedPath } from '../cluster/paths.ts';
import { type SecretInfo, trustAnchors } from './inspect-secrets.ts';
import { shellQuote, showPod } from './kubectl.ts';
import {
  describeSecret,
  inspectLeader,
  recreateMutable,
  replaceNames,
  replacePair,
  requestRotation,
  setAside,
  showTrustBundle,
} from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
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

type Source = NonNullable<ClusterSnapshot['source']>;

/** Shows what its issuer says about SOURCE_SECRET. */
const inspectSourceIssuer = (snapshot: ClusterSnapshot, source: Source, name: string): string => {
  const certificate = source.state === 'there' ? source.value.certificateName : null;
  return certificate === null
    ? describeSecret(snapshot, name)
    : `kubectl describe certificate ${shellQuote(certificate)} -n ${snapshot.config.namespace}`;
};

const checkSourceUsable = (snapshot: ClusterSnapshot, source: Source, { name, path }: NamedPath): CheckResult => {
  const title = 'SOURCE_SECRET can be relayed';
  if (source.state === 'forbidden' || source.state === 'failed') return unreadable(title, source, path);
  const state = source.state === 'there' ? source.value.state : 'absent';
  const problem = sourceProblem(state, snapshot.nowMs);
  if (problem === null) return ok(title, name);
  const detail = `Secret ${name}: ${problem}; what is mounted stays in use until its issuer writes another one`;
  return fail(title, detail, inspectSourceIssuer(snapshot, source, name));
};

const checkSourceTrust = (snapshot: ClusterSnapshot, source: Source, name: string): readonly CheckResult[] => {
  if (source.state !== 'there' || source.value.state.problem !== null || source.value.state.hash === null) return [];
  const title = 'SOURCE_SECRET says which CA signs';
  const trust = desiredTrust(source.value.state);
  if (trust.length > 0) return [ok(title, trust.length === 1 ? '1 CA' : `${trust.length} CAs`)];
  const detail = 'it has no ca.crt, so that no caBundle is written: a change of its CA has to be injected by hand';
  return [warn(title, detail, inspectSourceIssuer(snapshot, source, name))];
};

const checkSourceCopied = (snapshot: ClusterSnapshot, source: Source): readonly CheckResult[] => {
  const { secret, nowMs, config } = snapshot;
  if (source.state !== 'there' || sourceProblem(source.value.state, nowMs) !== null) return [];
  const title = 'SOURCE_SECRET is what is mounted';
  if (secret.state !== 'there') return [skipped(title, 'the Secret is not there to be compared')];
  const { hash } = source.value.state;
  if (hash === secret.value.hash) return [ok(title, (hash ?? '').slice(0, 12))];
  const detail = `Secret ${config.secretName} holds another certificate: the leader copies the next one once every caBundle trusts its CA, and TRUST_SETTLE later`;
  return [warn(title, detail, inspectLeader(snapshot))];
};

/** What mounts the source gets each certificate before the caBundles trust its CA. */
const checkSourceMounted = (snapshot: ClusterSnapshot, name: string): readonly CheckResult[] => {
  const { pods, config } = snapshot;
  if (pods.state !== 'there') return [];
  const title = 'no replica mounts SOURCE_SECRET';
  const pod = pods.value.find(({ mountedSecrets }) => mountedSecrets.some(({ secretName }) => secretName === name));
  if (pod === undefined) return [ok(title, '')];
  const detail = `Pod ${pod.name} mounts Secret ${name}, whose certificate changes before the caBundles do: mount ${config.secretName}`;
  return [fail(title, detail, showPod(snapshot, pod))];
};

/** Checks the Secret into which another program issues, where it is relayed. */
export const checkSource = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { source, paths } = snapshot;
  if (source === null || paths.source === null) return [];
  const { name } = paths.source;
  return [
    checkSourceUsable(snapshot, source, paths.source),
    ...checkSourceTrust(snapshot, source, name),
    ...checkSourceCopied(snapshot, source),
    ...checkSourceMounted(snapshot, name),
  ];
};

/** The result for a Secret that the leader has to write and cannot. */
const immutable = (snapshot: ClusterSnapshot, name: string): CheckResult =>
  fail(
    `Secret ${name} can be changed`,
    'it is immutable, so the leader cannot renew what it contains',
    recreateMutable(snapshot, name),
  );

/** Checks Secret `SECRET_NAME-ca`, the CA that the leader issues with. */
export const checkCa = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'CA exists';
  const { ca, config, paths, secret } = snapshot;
  if (!config.issuer.keepsCa) return [skipped(name, `CERT_ISSUER=${config.issuer.name}: another issuer keeps the CA`)];
  if (ca.state === 'absent') {
    const detail = `there is no Secret ${paths.ca.name} in ${config.namespace}: no leader has created it`;
    return [fail(name, detail, inspectLeader(snapshot))];
  }
  if (ca.state !== 'there') return [unreadable(name, ca, paths.ca.path)];
  const { current, problem, bundle, isForeign, isImmutable } = ca.value;
  if (problem !== null && isForeign) {
    const detail = `webhook-certd did not write Secret ${paths.ca.name} and does not overwrite it, but cannot use it: ${problem}`;
    return [
      fail(
        'CA is usable',
        `${detail}. Correct it, or remove it so that the leader issues a CA`,
        setAside(snapshot, paths.ca.name, paths.ca.path, ca.value),
      ),
    ];
  }
  const bundled = bundle ?? [];
  const isInBundle = bundled.some(({ fingerprint }) => fingerprint === current?.fingerprint);
  const keyName = 'CA key matches its certificate';
  const bundleName = 'trust bundle contains the CA';
  const published =
    secret.state !== 'there' ||
    bundled.every(({ fingerprint }) =>
      secret.value.trust.some((trusted) => trusted.fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint),
    );
  return [
    ok(name, current === null ? paths.ca.name : current.subject),
    ...(isImmutable ? [immutable(snapshot, paths.ca.name)] : []),
    problem === null ? ok(keyName, '') : fail(keyName, problem, requestRotation(snapshot, 'ca')),
    isInBundle
      ? ok(bundleName, bundled.length === 1 ? '' : `and ${bundled.length - 1} older, still trusted`)
      : fail(bundleName, 'ca-bundle.crt does not contain the current CA', inspectLeader(snapshot)),
    ...(published
      ? []
      : [warn('Secret contains the whole trust bundle', 'its ca.crt lacks a CA', inspectLeader(snapshot))]),
  ];
};
