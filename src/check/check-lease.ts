import { formatExpiry, formatSpan } from '../util/time.ts';
import { alivePods, shellQuote, workloadOf } from './kubectl.ts';
import { describeLease, inspectLeader, neverLeading } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import { type ClusterSnapshot, isHeldBy, type LeaseInfo } from './snapshot.ts';

/** The result for a holder that is none of the replicas. */
const checkStranger = (snapshot: ClusterSnapshot, name: string, holder: string, lease: LeaseInfo): CheckResult => {
  const { config, renewal, stranger } = snapshot;
  const labels = Object.entries(stranger?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const who =
    stranger === null
      ? `its holder ${holder} is not a Pod of ${config.podSelector}`
      : `its holder ${holder} is a Pod that POD_SELECTOR=${config.podSelector} does not match; its labels are ${labels.join(', ') || 'none'}`;
  const writer = lease.electedBy === null ? '' : `, and field manager ${lease.electedBy} wrote that`;
  if (!renewal.renewed) return fail(name, `${who}${writer}, and does not renew it`, inspectLeader(snapshot));
  // A holder that announces does the work, for example at a desk.
  const report = lease.announcement === null ? fail : warn;
  const detail = `${who}${writer}: while another program holds LEASE_NAME, no replica issues or announces`;
  return report(name, detail, describeLease(snapshot));
};

const checkHolder = (snapshot: ClusterSnapshot, lease: LeaseInfo): CheckResult => {
  const name = 'Lease is held by a replica';
  const { pods } = snapshot;
  const { holder } = lease;
  if (holder === null) {
    const why = neverLeading(snapshot) === null ? '' : ': every replica has LEADER_ELECTION=false';
    return fail(name, `it has no holder${why}, so nothing is issued or renewed`, inspectLeader(snapshot));
  }
  if (pods.state !== 'there' || pods.value.some((pod) => isHeldBy(holder, pod.name))) return ok(name, holder);
  return checkStranger(snapshot, name, holder, lease);
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
  return fail(name, detail, inspectLeader(snapshot));
};

/** The prefix of an announcement that was made under another one, as after a change of ANNOTATION_PREFIX or NAME. */
const announcedUnder = (malformed: string): string | null =>
  /^ANNOTATION_PREFIX is .* under (\S+)$/.exec(malformed)?.[1] ?? null;

/**
 * The leader announces under the prefix from before until all replicas have the same one again. Where the Pods do not say
 * theirs, the one of the check is more likely to be wrong.
 */
const restorePrefix = (snapshot: ClusterSnapshot, prefix: string): string => {
  const { config, located } = snapshot;
  const workload = alivePods(snapshot)
    .filter(({ name }) => located.byPod.has(name))
    .map(workloadOf)
    .find((each) => each !== null);
  return workload === undefined
    ? describeLease(snapshot)
    : `kubectl set env ${workload} -n ${config.namespace} ANNOTATION_PREFIX=${shellQuote(prefix)}`;
};

const checkAnnouncement = (snapshot: ClusterSnapshot, lease: LeaseInfo): CheckResult => {
  const name = 'Lease announces a certificate';
  const { nowMs } = snapshot;
  const { announcement, malformed } = lease;
  if (announcement !== null) {
    const hash = announcement.hash.slice(0, 12);
    return ok(name, `${hash}, ${formatExpiry(Date.parse(announcement.validUntil), nowMs)}`);
  }
  if (malformed === null) return fail(name, 'no certificate has been announced', inspectLeader(snapshot));
  const otherPrefix = announcedUnder(malformed);
  if (otherPrefix !== null) return fail(name, malformed, restorePrefix(snapshot, otherPrefix));
  const remedy = snapshot.renewal.renewed ? removeAnnouncement(snapshot, lease) : inspectLeader(snapshot);
  return fail(name, `the announcement is malformed: ${malformed}`, remedy);
};

/** Removes an announcement, if it is still the one that was read, so that the leader announces again. */
const removeAnnouncement = (snapshot: ClusterSnapshot, { annotations }: LeaseInfo): string => {
  const { config } = snapshot;
  const keys = ['cert-ready', 'cert-hash', 'cert-valid-until'].map((key) => `${config.annotationPrefix}/${key}`);
  const operations = keys.flatMap((key) => {
    const path = `/metadata/annotations/${key.replaceAll('/', '~1')}`;
    const value = annotations[key];
    return value === undefined
      ? []
      : [
          { op: 'test', path, value },
          { op: 'remove', path },
        ];
  });
  // One under another prefix belongs to other replicas.
  if (operations.length === 0) return describeLease(snapshot);
  const patch = `kubectl patch lease ${shellQuote(config.leaseName)} -n ${config.namespace} --type=json`;
  return `${patch} -p ${shellQuote(JSON.stringify(operations))}`;
};

/** Checks the leader election and the announcement. */
export const checkLease = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'Lease exists';
  const { lease, config } = snapshot;
  if (lease.state === 'absent') {
    const detail = `there is no Lease ${config.leaseName} in ${config.namespace}: no replica has ever led`;
    return [fail(name, detail, inspectLeader(snapshot))];
  }
  if (lease.state !== 'there') return [unreadable(name, lease, snapshot.paths.lease.path)];
  return [
    ok(name, config.leaseName),
    checkHolder(snapshot, lease.value),
    checkRenewal(snapshot, lease.value),
    checkAnnouncement(snapshot, lease.value),
  ];
};
