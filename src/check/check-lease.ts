import { shellQuote, workloadCommands } from './kubectl.ts';
import { leaderRemedy } from './remedies.ts';
import { type CheckResult, result, unreadable } from './result.ts';
import type { ClusterSnapshot, LeaseInfo } from './snapshot.ts';
import { timeText } from './time-text.ts';

/** client-go's electors append `_UUID` to the name of their Pod. */
const isPod = (holder: string, name: string): boolean => holder === name || holder.startsWith(`${name}_`);

const judgeHolder = (evidence: ClusterSnapshot, { holder }: LeaseInfo): CheckResult => {
  const name = 'Lease is held by a replica';
  const { pods, config } = evidence;
  if (holder === null) {
    const nobodyTries = workloadCommands
      .alive(evidence)
      .every(({ containers }) => containers.some(({ env }) => env.get('LEADER_ELECTION') === 'false'));
    const why =
      nobodyTries && workloadCommands.alive(evidence).length > 0 ? ': every replica has LEADER_ELECTION=false' : '';
    return result.fail(name, `nobody holds it${why}, so nobody issues or renews`, leaderRemedy.wakeUp(evidence));
  }
  if (pods.state !== 'there' || pods.value.some((pod) => isPod(holder, pod.name))) return result.ok(name, holder);
  const detail = `${holder} holds it, which is no Pod of ${config.podSelector}`;
  return evidence.renewal.renewed
    ? result.warn(
        name,
        `${detail}: is LEASE_NAME somebody else's?`,
        `kubectl get lease ${shellQuote(config.leaseName)} -n ${config.namespace} -o yaml --show-managed-fields`,
      )
    : result.fail(name, `${detail} any more`, leaderRemedy.wakeUp(evidence));
};

const judgeRenewal = (evidence: ClusterSnapshot, lease: LeaseInfo): CheckResult => {
  const name = 'Lease is renewed';
  const { renewed, watchedMs } = evidence.renewal;
  const term = `it lasts ${timeText.span(lease.durationMs)}`;
  if (renewed) return result.ok(name, `seen within ${timeText.span(watchedMs)}, ${term}`);
  if (lease.holder === null) return result.skipped(name, 'nobody holds it');
  const last =
    lease.renewTime === null ? 'none ever' : `last at ${lease.renewTime.slice(0, 19)}Z by ${lease.holder}'s clock`;
  const detail = `no renewal in ${timeText.span(watchedMs)}, ${last}; ${term}`;
  return result.fail(name, detail, leaderRemedy.wakeUp(evidence));
};

const judgeAnnouncement = (evidence: ClusterSnapshot, lease: LeaseInfo): CheckResult => {
  const name = 'Lease announces a certificate';
  const { config, nowMs } = evidence;
  const { announcement, malformed } = lease;
  if (announcement !== null) {
    const hash = announcement.hash.slice(0, 12);
    return result.ok(name, `${hash}, ${timeText.until(Date.parse(announcement.validUntil), nowMs)}`);
  }
  const mend = leaderRemedy.wakeUp(evidence);
  if (malformed === null) return result.fail(name, 'no certificate has been announced', mend);
  const annotations = ['cert-ready', 'cert-hash', 'cert-valid-until'].map(
    (key) => `${config.annotationPrefix}/${key}-`,
  );
  const annotate = `kubectl annotate lease ${shellQuote(config.leaseName)} -n ${config.namespace}`;
  const rewrite = evidence.renewal.renewed ? `${annotate} ${annotations.join(' ')}` : mend;
  return result.fail(name, `the announcement cannot be used: ${malformed}`, rewrite);
};

/** Election and announcement. */
export const checkLease = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'Lease exists';
  const { lease, config } = evidence;
  if (lease.state === 'absent') {
    const detail = `there is no Lease ${config.leaseName} in ${config.namespace}: no replica has ever led`;
    return [result.fail(name, detail, leaderRemedy.wakeUp(evidence))];
  }
  if (lease.state !== 'there') return [unreadable(name, lease, evidence.paths.lease.path)];
  return [
    result.ok(name, config.leaseName),
    judgeHolder(evidence, lease.value),
    judgeRenewal(evidence, lease.value),
    judgeAnnouncement(evidence, lease.value),
  ];
};
