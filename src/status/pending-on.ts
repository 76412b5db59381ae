import { allAcknowledged, mayBeServing } from '../../streams/acknowledged.ts';
import type { LoadEvent } from '../../streams/load-certificate.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { type ReplicaState, whyUnannounced } from './replica-state.ts';

/** Something that a replica waits for. */
export interface Blocker {
  readonly for:
    | 'announcement'
    | 'mount'
    | 'usable-certificate'
    | 'trusted-handshake'
    | 'valid-certificate'
    | 'neighbour'
    | 'source'
    | 'write'
    | 'trust'
    | 'acknowledgements'
    | 'overlap';
  /** Ms since the epoch. */
  readonly sinceMs: number;
  /** The known reason; null when there is none. */
  readonly detail: string | null;
}

interface Situation {
  readonly identity: string;
  readonly caOverlapMs: number;
  readonly nowMs: number;
}

const loadBlocker = (load: LoadEvent, sinceMs: number, unannounced: string | null): Blocker | null => {
  switch (load.type) {
    case 'certificate/unannounced':
      return { for: 'announcement', sinceMs, detail: unannounced };
    case 'certificate/unmounted':
      return { for: 'mount', sinceMs, detail: 'nothing is mounted' };
    case 'certificate/mismatched':
      return { for: 'mount', sinceMs, detail: 'a different certificate is mounted' };
    case 'certificate/rejected':
      return { for: 'usable-certificate', sinceMs, detail: load.reason };
    case 'certificate/served':
      return load.untrusted === null ? null : { for: 'trusted-handshake', sinceMs, detail: load.untrusted };
    case 'certificate/not-shown':
      return { for: 'neighbour', sinceMs, detail: `${load.kind}: ${load.detail}` };
  }
};

const leaderBlockers = (state: ReplicaState, { identity, caOverlapMs, nowMs }: Situation): readonly Blocker[] => {
  const { failing, settling, observation, rotations, source } = state;
  const sources: Blocker[] = source === null ? [] : [{ for: 'source', sinceMs: source.sinceMs, detail: source.reason }];
  const writes: Blocker[] = failing
    ? [...sources, { for: 'write', sinceMs: failing.sinceMs, detail: `${failing.step}: ${failing.error}` }]
    : sources;
  const settles: Blocker[] =
    settling === null
      ? []
      : [
          {
            for: 'trust',
            sinceMs: settling.sinceMs,
            detail: `every API server is given until ${rfc3339Seconds(settling.untilMs)} to take up the caBundles`,
          },
        ];
  const rotation = rotations.at(-1);
  if (observation === null || rotation === undefined || typeof observation.replicas === 'string')
    return [...writes, ...settles];

  const { replicas, lease, ca } = observation;
  const missing = replicas.filter((replica) => replica.servingHash !== rotation.hash && mayBeServing(replica, nowMs));
  const overlaps = lease.servedSinceMs !== null || (typeof ca !== 'string' && ca.bundle.length > 1);
  const isAcknowledged = allAcknowledged(replicas, rotation.hash, { identity, nowMs });
  // Without any acknowledgement so far none will come, and only an overlap waits for it.
  if (!isAcknowledged && (overlaps || replicas.some(({ servingHash }) => servingHash !== null))) {
    const detail = missing.length === 0 ? null : missing.map(({ name }) => name).join(', ');
    return [...writes, ...settles, { for: 'acknowledgements', sinceMs: rotation.announcedMs, detail }];
  }
  if (!overlaps || lease.servedSinceMs === null) return [...writes, ...settles];
  const detail = `the older CA is removed at ${rfc3339Seconds(lease.servedSinceMs + caOverlapMs)}`;
  return [...writes, ...settles, { for: 'overlap', sinceMs: lease.servedSinceMs, detail }];
};

/** When a wait ends by itself, ms since the epoch; null when it ends by an event. */
export const waitEndsMs = (
  { settling, observation }: Pick<ReplicaState, 'settling' | 'observation'>,
  wait: Blocker['for'],
  caOverlapMs: number,
): number | null => {
  if (wait === 'trust') return settling?.untilMs ?? null;
  const servedSinceMs = observation?.lease.servedSinceMs ?? null;
  return wait === 'overlap' && servedSinceMs !== null ? servedSinceMs + caOverlapMs : null;
};

/** The newest failure of what would end a wait; null when none is known. */
export const waitError = (
  { errors, failing }: Pick<ReplicaState, 'errors' | 'failing'>,
  wait: Blocker['for'],
): string | null => {
  switch (wait) {
    case 'announcement':
      return errors.lease ?? errors.election;
    case 'mount':
    case 'acknowledgements':
      return errors.pod;
    case 'write':
      return failing?.error ?? null;
    default:
      return null;
  }
};

/** Returns what a replica waits for, the most urgent first. Pure. */
export const pendingOn = (state: ReplicaState, situation: Situation): readonly Blocker[] => {
  const { load, readiness, startedMs } = state;
  const own: Blocker | null =
    load === null
      ? { for: 'announcement', sinceMs: startedMs, detail: whyUnannounced(state) }
      : loadBlocker(load.event, load.sinceMs, whyUnannounced(state));
  const expired: Blocker[] =
    readiness.served !== null && readiness.reasons.includes('certificate-expired')
      ? [
          {
            for: 'valid-certificate',
            sinceMs: readiness.served.leaf.notAfterMs,
            detail: 'the served certificate has expired',
          },
        ]
      : [];
  return [...expired, ...(own === null ? [] : [own]), ...leaderBlockers(state, situation)];
};
