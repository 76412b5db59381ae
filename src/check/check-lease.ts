import { shellWord, workloadCommands } from './kubectl.ts';
import { mendLeader } from './remedies.ts';
import { unseen, type Verdict, verdict } from './result.ts';
import type { Evidence, LeaseLook } from './snapshot.ts';
import { timeText } from './time-text.ts';

/** client-go's electors append `_UUID` to the name of their Pod. */
const isPod = (holder: string, name: string): boolean => holder === name || holder.startsWith(`${name}_`);

const judgeHolder = (evidence: Evidence, { holder }: LeaseLook): Verdict => {
  const name = 'Lease is held by a replica';
  const { pods, config } = evidence;
  if (holder === null) {
    const nobodyTries = workloadCommands
      .alive(evidence)
      .every(({ containers }) => containers.some(({ env }) => env.get('LEADER_ELECTION') === 'false'));
    const why =
      nobodyTries && workloadCommands.alive(evidence).length > 0 ? ': every replica has LEADER_ELECTION=false' : '';
    return verdict.fail(name, `nobody holds it${why}, so nobody issues or renews`, mendLeader.wakeUp(evidence));
  }
  if (pods.state !== 'there' || pods.value.some((pod) => isPod(holder, pod.name))) return verdict.ok(name, holder);
  const detail = `${holder} holds it, which is no Pod of ${config.podSelector}`;
  return evidence.renewal.renewed
    ? verdict.warn(
        name,
        `${detail}: is LEASE_NAME somebody else's?`,
        `kubectl get lease ${shellWord(config.leaseName)} -n ${config.namespace} -o yaml --show-managed-fields`,
      )
    : verdict.fail(name, `${detail} any more`, mendLeader.wakeUp(evidence));
};

const judgeRenewal = (evidence: Evidence, lease: LeaseLook): Verdict => {
  const name = 'Lease is renewed';
  const { renewed, watchedMs } = evidence.renewal;
  const term = `it lasts ${timeText.span(lease.durationMs)}`;
  if (renewed) return verdict.ok(name, `seen within ${timeText.span(watchedMs)}, ${term}`);
  if (lease.holder === null) return verdict.skipped(name, 'nobody holds it');
  const last =
    lease.renewTime === null ? 'none ever' : `last at ${lease.renewTime.slice(0, 19)}Z by ${lease.holder}'s clock`;
  const detail = `no renewal in ${timeText.span(watchedMs)}, ${last}; ${term}`;
  return verdict.fail(name, detail, mendLeader.wakeUp(evidence));
};

const judgeAnnouncement = (evidence: Evidence, lease: LeaseLook): Verdict => {
  const name = 'Lease announces a certificate';
  const { config, nowMs } = evidence;
  const { announcement, malformed } = lease;
  if (announcement !== null) {
    const hash = announcement.hash.slice(0, 12);
    return verdict.ok(name, `${hash}, ${timeText.until(Date.parse(announcement.validUntil), nowMs)}`);
  }
  const mend = mendLeader.wakeUp(evidence);
  if (malformed === null) return verdict.fail(name, 'no certificate has been announced', mend);
  const annotations = ['cert-ready', 'cert-hash', 'cert-valid-until'].map(
    (key) => `${config.annotationPrefix}/${key}-`,
  );
  const annotate = `kubectl annotate lease ${shellWord(config.leaseName)} -n ${config.namespace}`;
  const rewrite = evidence.renewal.renewed ? `${annotate} ${annotations.join(' ')}` : mend;
  return verdict.fail(name, `the announcement cannot be used: ${malformed}`, rewrite);
};

/** Election and announcement. */
export const judgeLease = (evidence: Evidence): readonly Verdict[] => {
  const name = 'Lease exists';
  const { lease, config } = evidence;
  if (lease.state === 'absent') {
    const detail = `there is no Lease ${config.leaseName} in ${config.namespace}: no replica has ever led`;
    return [verdict.fail(name, detail, mendLeader.wakeUp(evidence))];
  }
  if (lease.state !== 'there') return [unseen(name, lease, evidence.paths.lease.path)];
  return [
    verdict.ok(name, config.leaseName),
    judgeHolder(evidence, lease.value),
    judgeRenewal(evidence, lease.value),
    judgeAnnouncement(evidence, lease.value),
  ];
};
