import { formatExpiry, formatSpan } from '../util/time.ts';
import { alivePods, setEnvironment, shellQuote } from './kubectl.ts';
import { isElectionDisabled, restartOrGrant } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import type { ClusterSnapshot, LeaseInfo } from './snapshot.ts';

/** Whether a holder identity belongs to a Pod. client-go's electors append `_UUID` to the Pod name. */
const isPod = (holder: string, name: string): boolean => holder === name || holder.startsWith(`${name}_`);

const checkHolder = (snapshot: ClusterSnapshot, { holder }: LeaseInfo): CheckResult => {
  const name = 'Lease is held by a replica';
  const { pods, config } = snapshot;
  if (holder === null) {
    const why = isElectionDisabled(alivePods(snapshot)) ? ': every replica has LEADER_ELECTION=false' : '';
    return fail(name, `it has no holder${why}, so nothing is issued or renewed`, restartOrGrant(snapshot));
  }
  if (pods.state !== 'there' || pods.value.some((pod) => isPod(holder, pod.name))) return ok(name, holder);
  const detail = `its holder ${holder} is not a Pod of ${config.podSelector}`;
  return snapshot.renewal.renewed
    ? warn(
        name,
        `${detail}: does another program use LEASE_NAME?`,
        `kubectl get lease ${shellQuote(config.leaseName)} -n ${config.namespace} -o yaml --show-managed-fields`,
      )
    : fail(name, `${detail}, and does not renew it`, restartOrGrant(snapshot));
};

const checkRenewal = (snapshot: ClusterSnapshot, lease: LeaseInfo): CheckResult => {
  const name = 'Lease is renewed';
  const { renewed, watchedMs } = snapshot.renewal;
  const term = `its duration is ${formatSpan(lease.durationMs)}`;
  if (renewed) return ok(name, `observed within ${formatSpan(watchedMs)}, ${term}`);
  if (lease.holder === null) return skipped(name, 'it has no holder');
  const last =
    lease.renewTime === null ? 'never renewed' : `last at ${lease.renewTime.slice(0, 19)}Z by ${lease.holder}'s clock`;
  const detail = `no renewal in ${formatSpan(watchedMs)}, ${last}; ${term}`;
  return fail(name, detail, restartOrGrant(snapshot));
};

/** The prefix of an announcement that was made under another one, as after a change of ANNOTATION_PREFIX or NAME. */
const announcedUnder = (malformed: string): string | null =>
  /^ANNOTATION_PREFIX is .* under (\S+)$/.exec(malformed)?.[1] ?? null;

const checkAnnouncement = (snapshot: ClusterSnapshot, lease: LeaseInfo): CheckResult => {
  const name = 'Lease announces a certificate';
  const { config, nowMs } = snapshot;
  const { announcement, malformed } = lease;
  if (announcement !== null) {
    const hash = announcement.hash.slice(0, 12);
    return ok(name, `${hash}, ${formatExpiry(Date.parse(announcement.validUntil), nowMs)}`);
  }
  const remedy = restartOrGrant(snapshot);
  if (malformed === null) return fail(name, 'no certificate has been announced', remedy);
  const otherPrefix = announcedUnder(malformed);
  // The leader announces under the prefix from before until all replicas have the same one again.
  if (otherPrefix !== null) return fail(name, malformed, setEnvironment(snapshot, 'ANNOTATION_PREFIX', otherPrefix));
  const annotations = ['cert-ready', 'cert-hash', 'cert-valid-until'].map(
    (key) => `${config.annotationPrefix}/${key}-`,
  );
  const annotate = `kubectl annotate lease ${shellQuote(config.leaseName)} -n ${config.namespace}`;
  const removal = snapshot.renewal.renewed ? `${annotate} ${annotations.join(' ')}` : remedy;
  return fail(name, `the announcement is malformed: ${malformed}`, removal);
};

/** Checks the leader election and the announcement. */
export const checkLease = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'Lease exists';
  const { lease, config } = snapshot;
  if (lease.state === 'absent') {
    const detail = `there is no Lease ${config.leaseName} in ${config.namespace}: no replica has ever led`;
    return [fail(name, detail, restartOrGrant(snapshot))];
  }
  if (lease.state !== 'there') return [unreadable(name, lease, snapshot.paths.lease.path)];
  return [
    ok(name, config.leaseName),
    checkHolder(snapshot, lease.value),
    checkRenewal(snapshot, lease.value),
    checkAnnouncement(snapshot, lease.value),
  ];
};
