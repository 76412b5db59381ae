import { certificateSets } from '../../streams/certificate-sets.ts';
import type { CertificateFacts } from '../../streams/model.ts';
import type { Observation } from '../../streams/observe-cluster.ts';
import { liveReplicas } from './live-replicas.ts';
import type { RotationStart } from './rotation-start.ts';

/** One step of a rotation as it is told. */
export interface RotationStage {
  /** Which one it is, however it is worded. */
  readonly key: string;
  readonly reached: boolean;
  /** Null while there is nothing to tell. */
  readonly line: string | null;
}

export interface RotationTerms {
  readonly podSelector: string;
  readonly kubeletNudge: boolean;
  readonly caOverlapMs: number;
  readonly nowMs: number;
}

const { has } = certificateSets;

const stage = (key: string, reached: boolean, line: string): RotationStage => ({
  key,
  reached,
  line: reached ? line : null,
});

const pickedUp = ({ authority }: RotationStart, { lease: { holder, rotate } }: Observation): RotationStage =>
  stage(
    'picked-up',
    rotate !== 'ca',
    `picked up by ${holder ?? 'the leader'}${authority === null ? '' : `, replaces the CA ${authority}`}`,
  );

/** The CA that signs from now on; null while it is the one before, or cannot be read. */
const successor = ({ authority: before }: RotationStart, { authority }: Observation): CertificateFacts | null =>
  typeof authority === 'string' || before === null || authority.current?.fingerprint === before
    ? null
    : authority.current;

const authorityIssued = (start: RotationStart, seen: Observation): readonly RotationStage[] => {
  if (typeof seen.authority === 'string' || start.authority === null) return [];
  const next = successor(start, seen);
  return [stage('authority', next !== null, `new CA issued: ${next?.fingerprint ?? ''}`)];
};

const widened = (start: RotationStart, seen: Observation): readonly RotationStage[] =>
  seen.targets.flatMap(({ id, state }) => {
    if (typeof state === 'string') return [];
    const next = successor(start, seen);
    const before = start.trusted.get(id) ?? [];
    const isWide = state.bundles.every((bundle) =>
      next === null ? bundle.some((one) => !has(before, one)) : has(bundle, next),
    );
    return [stage(id, isWide, `caBundle widened: ${id}`)];
  });

const secretWritten = (start: RotationStart, { secret }: Observation): readonly RotationStage[] =>
  typeof secret === 'string'
    ? []
    : [stage('secret', secret.hash !== start.hash, `Secret written: ${secret.hash ?? ''}`)];

const announced = (start: RotationStart, { lease: { announcement, rotate } }: Observation): RotationStage =>
  stage(
    'announced',
    rotate === null && announcement !== null && announcement.hash !== start.hash,
    `announced: ${announcement?.hash ?? ''}, valid until ${announcement?.validUntil ?? ''}`,
  );

const acknowledged = ({ lease, replicas }: Observation, terms: RotationTerms): RotationStage => {
  const key = 'acknowledged';
  if (!terms.kubeletNudge)
    return stage(key, true, 'acknowledgements are off (KUBELET_NUDGE=false): give the kubelets two minutes');
  if (typeof replicas === 'string') return stage(key, true, 'the Pods cannot be seen, so nobody can say who serves it');
  const live = liveReplicas(replicas, terms.nowMs);
  const serving = live.filter(({ servingHash }) => servingHash === lease.announcement?.hash).length;
  if (live.length === 0) return { key, reached: false, line: `no live replica matches ${terms.podSelector}` };
  return { key, reached: serving === live.length, line: `acknowledged: ${serving}/${live.length} replicas` };
};

const olderCa = ({ authority, lease }: Observation, { caOverlapMs, nowMs }: RotationTerms): RotationStage => {
  if (typeof authority !== 'string' && authority.bundle.length === 1)
    return stage('older-ca', true, 'the older CA is dropped');
  const untilMs = (lease.servedSinceMs ?? nowMs) + caOverlapMs;
  return stage(
    'older-ca',
    true,
    `the older CA is kept until ${new Date(untilMs).toISOString().replace(/\.\d+/, '')} (CA_OVERLAP), then dropped`,
  );
};

/** The steps of a rotation in their order (L1), as far as they can be seen; those that nobody may look at are left out. */
export const rotationStages = (
  start: RotationStart,
  seen: Observation,
  terms: RotationTerms,
): readonly RotationStage[] => [
  ...(start.ca ? [pickedUp(start, seen), ...authorityIssued(start, seen), ...widened(start, seen)] : []),
  ...secretWritten(start, seen),
  announced(start, seen),
  acknowledged(seen, terms),
  ...(start.ca ? [olderCa(seen, terms)] : []),
];
