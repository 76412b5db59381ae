import { desiredTrust } from '../../streams/plan-external.ts';
import { sourceProblem } from '../../streams/plan-relay.ts';
import { shellQuote, showPod } from './kubectl.ts';
import { inspectLeader } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import { describeSecret } from './secret-remedies.ts';
import type { ClusterSnapshot } from './snapshot.ts';

type Source = NonNullable<ClusterSnapshot['source']>;

/** Shows what its issuer says about SOURCE_SECRET. */
const inspectIssuer = (snapshot: ClusterSnapshot, source: Source, name: string): string => {
  const certificate = source.state === 'there' ? source.value.certificateName : null;
  return certificate === null
    ? describeSecret(snapshot, name)
    : `kubectl describe certificate ${shellQuote(certificate)} -n ${snapshot.config.namespace}`;
};

const checkUsable = (snapshot: ClusterSnapshot, source: Source, name: string): CheckResult => {
  const title = 'SOURCE_SECRET can be relayed';
  if (source.state === 'forbidden' || source.state === 'failed')
    return unreadable(title, source, snapshot.paths.source?.path ?? '');
  const state = source.state === 'there' ? source.value.state : 'absent';
  const problem = sourceProblem(state, snapshot.nowMs);
  if (problem === null) return ok(title, name);
  const detail = `Secret ${name}: ${problem}; what is mounted stays in use until its issuer writes another one`;
  return fail(title, detail, inspectIssuer(snapshot, source, name));
};

const checkTrust = (snapshot: ClusterSnapshot, source: Source, name: string): readonly CheckResult[] => {
  if (source.state !== 'there' || source.value.state.problem !== null || source.value.state.hash === null) return [];
  const title = 'SOURCE_SECRET says which CA signs';
  const trust = desiredTrust(source.value.state);
  if (trust.length > 0) return [ok(title, trust.length === 1 ? '1 CA' : `${trust.length} CAs`)];
  const detail = 'it has no ca.crt, so that no caBundle is written: a change of its CA has to be injected by hand';
  return [warn(title, detail, inspectIssuer(snapshot, source, name))];
};

const checkCopied = (snapshot: ClusterSnapshot, source: Source): readonly CheckResult[] => {
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
const checkMounted = (snapshot: ClusterSnapshot, name: string): readonly CheckResult[] => {
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
  const { source, config } = snapshot;
  const { sourceSecret: name } = config;
  if (source === null || name === null) return [];
  return [
    checkUsable(snapshot, source, name),
    ...checkTrust(snapshot, source, name),
    ...checkCopied(snapshot, source),
    ...checkMounted(snapshot, name),
  ];
};
