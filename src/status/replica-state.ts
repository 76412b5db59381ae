import type { LoadEvent } from '../../streams/load-certificate.ts';
import type { Announcement, NotShownKind, VolumeSnapshot } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import { sourceProblem } from '../../streams/plan-relay.ts';
import type { Readiness } from '../../streams/readiness.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { nextRotations, type Rotation } from './rotations.ts';

/** The holder of a Lease that announces nothing. */
interface SilentHolder {
  readonly name: string;
  readonly sinceMs: number;
  readonly leaseDurationMs: number;
  /** For longer than the Lease's duration: more than the first announcement of a new installation takes. */
  readonly isLasting: boolean;
}

/** The state of this replica as far as its events show. Times are ms since the epoch. */
export interface ReplicaState {
  readonly startedMs: number;
  readonly leading: boolean;
  readonly leaseSeen: boolean;
  /** The holder of the Lease. */
  readonly leader: string | null;
  readonly announced: Announcement | null;
  /** Another identity holds the Lease and nothing is announced; null otherwise. */
  readonly silentHolder: SilentHolder | null;
  readonly mounted: VolumeSnapshot | null;
  /** Result of the newest load, and the time since which the result has been the same. */
  readonly load: { readonly event: LoadEvent; readonly sinceMs: number } | null;
  readonly readiness: Readiness;
  /** The result of the last handshakes that were concluded, since when it has been, and what was shown if not the pair. */
  readonly shown: {
    readonly kind: NotShownKind | 'announced';
    readonly sinceMs: number;
    readonly hash: string | null;
    readonly detail: string | null;
  } | null;
  readonly acknowledgedHash: string | null;
  /** Whether writing the annotations of its Pod is forbidden. */
  readonly isPodForbidden: boolean;
  readonly watch: {
    readonly state: 'connecting' | 'established' | 'closed' | 'failed';
    readonly sinceMs: number;
    /** Why the newest attempt failed; null unless it did. */
    readonly error: string | null;
  };
  /** The cluster as the leader observes it; null when this replica is not the leader. */
  readonly observation: ClusterState | null;
  /** Why the certificate in SOURCE_SECRET is not relayed; null while it is, or while this replica does not lead. */
  readonly source: { readonly reason: string; readonly sinceMs: number } | null;
  /** A failed write of the leader, which is retried. */
  readonly failing: { readonly step: string; readonly error: string; readonly sinceMs: number } | null;
  /** The next certificate waits until every API server has taken up the caBundles; null while none waits. */
  readonly settling: { readonly sinceMs: number; readonly untilMs: number } | null;
  /** The objects whose write the API server lastingly refuses; they are set aside. */
  readonly refused: readonly { readonly object: string; readonly reason: string }[];
  /** The newest failure of each kind of request, until one succeeds. */
  readonly errors: {
    /** Reading the Lease. */
    readonly lease: string | null;
    /** Taking or renewing the Lease. */
    readonly election: string | null;
    /** Writing the annotations of the own Pod. */
    readonly pod: string | null;
  };
  readonly rotations: readonly Rotation[];
}

export const initialState = (nowMs: number): ReplicaState => ({
  startedMs: nowMs,
  leading: false,
  leaseSeen: false,
  leader: null,
  announced: null,
  silentHolder: null,
  mounted: null,
  load: null,
  readiness: { ready: false, reasons: ['no-announcement'], served: null },
  shown: null,
  acknowledgedHash: null,
  isPodForbidden: false,
  watch: { state: 'connecting', sinceMs: nowMs, error: null },
  observation: null,
  source: null,
  failing: null,
  settling: null,
  refused: [],
  errors: { lease: null, election: null, pod: null },
  rotations: [],
});

/**
 * Why no announcement is known: it cannot be used, the Lease has never been read, for example for a missing token file, the
 * leader cannot use a Secret, or another program holds the Lease and announces nothing. Null when none of these is so.
 */
export const whyUnannounced = (state: ReplicaState): string | null => {
  const { load, leaseSeen, watch, observation, source, silentHolder } = state;
  if (load?.event.type === 'certificate/unannounced' && load.event.malformed !== null) return load.event.malformed;
  const unusable = observation && unusableSecret(observation);
  if (unusable !== null) return unusable;
  if (source !== null) return `the certificate in SOURCE_SECRET cannot be used: ${source.reason}`;
  if (!leaseSeen) return watch.error;
  return silentHolder?.isLasting === true ? `the Lease is held by ${silentHolder.name}` : null;
};

/**
 * The reasons why a replica is not ready, the most important first. A known cause is named with `no-announcement`, which
 * alone would read as if the leader had not announced yet.
 */
export const unreadyReasons = (state: ReplicaState): readonly string[] => {
  const cause = whyUnannounced(state);
  return state.readiness.reasons.map((reason) =>
    reason === 'no-announcement' && cause !== null ? `${reason}: ${cause}` : reason,
  );
};

/** Whether the announced certificate is mounted, or was when a handshake was concluded last. */
export const isAnnouncedMounted = ({ announced, mounted, shown }: ReplicaState): boolean =>
  shown !== null || (announced !== null && mounted?.hash === announced.hash);

/** What a ready replica says beside that: its neighbour serves, but not yet what is announced. */
export const neighbourNotes = ({ shown }: ReplicaState): readonly string[] =>
  shown === null || shown.kind === 'announced' ? [] : [`${shown.kind}: ${shown.detail ?? ''}`];

const nextSilentHolder = (
  before: SilentHolder | null,
  event: ReplicaEvent,
  identity: string,
  nowMs: number,
): SilentHolder | null => {
  if (event.type !== 'lease/observed')
    return before && { ...before, isLasting: nowMs - before.sinceMs > before.leaseDurationMs };
  const { holder = null, announcement = null, durationMs: leaseDurationMs = 0 } = event.lease ?? {};
  if (holder === null || holder === identity || announcement !== null) return null;
  const sinceMs = before?.name === holder ? before.sinceMs : nowMs;
  return { name: holder, sinceMs, leaseDurationMs, isLasting: nowMs - sinceMs > leaseDurationMs };
};

/** Why the leader has nothing to announce, as far as a Secret is the cause; only the leader reads the Secrets. */
const unusableSecret = ({ secret, ca }: ClusterState): string | null => {
  const inSecret = typeof secret === 'string' ? null : (secret.foreign ?? secret.problem);
  if (inSecret !== null) return `the Secret cannot be used: ${inSecret}`;
  const inCa = typeof ca === 'string' ? null : (ca.foreign ?? null);
  return inCa === null ? null : `the CA in SECRET-ca cannot be used: ${inCa}`;
};

const nextSource = (
  before: ReplicaState['source'],
  { source = 'pending' }: ClusterState,
  nowMs: number,
): ReplicaState['source'] => {
  const reason = sourceProblem(source, nowMs);
  if (reason === null) return null;
  return { reason, sinceMs: before?.reason === reason ? before.sinceMs : nowMs };
};

/** Whether two loads have the same result, which then counts from the first. */
const isSameResult = (left: LoadEvent, right: LoadEvent): boolean => {
  const resultOf = (load: LoadEvent): unknown => {
    if (load.type === 'certificate/served') return [load.type, load.pair.hash, load.untrusted];
    return load.type === 'certificate/not-shown' ? [load.kind, load.pair.hash, load.shown?.hash] : load;
  };
  return JSON.stringify(resultOf(left)) === JSON.stringify(resultOf(right));
};

const nextShown = (before: ReplicaState['shown'], load: LoadEvent, sinceMs: number): ReplicaState['shown'] => {
  if (load.type === 'certificate/served')
    return { kind: 'announced', sinceMs, hash: load.pair.hash, detail: load.untrusted };
  if (load.type !== 'certificate/not-shown') return before;
  return { kind: load.kind, sinceMs, hash: load.shown?.hash ?? null, detail: load.detail };
};

const nextErrors = ({ errors }: ReplicaState, event: ReplicaEvent): ReplicaState['errors'] => {
  switch (event.type) {
    case 'lease/unread':
    case 'watch/failed':
      return { ...errors, lease: event.error };
    case 'lease/observed':
      return { ...errors, lease: null };
    case 'leadership/failed':
      return { ...errors, election: event.error };
    case 'leadership/acquired':
    case 'leadership/renewed':
      return { ...errors, election: null };
    case 'pod/failed':
    case 'pod/forbidden':
      return { ...errors, pod: event.error };
    case 'kubelet/nudged':
    case 'replica/acknowledged':
    case 'replica/withdrawn':
      return { ...errors, pod: null };
    default:
      return errors;
  }
};

const next = (state: ReplicaState, event: ReplicaEvent, nowMs: number): ReplicaState => {
  switch (event.type) {
    case 'lease/observed': {
      const { holder = null, announcement = null } = event.lease ?? {};
      return { ...state, leaseSeen: true, leader: holder, announced: announcement };
    }
    case 'watch/established':
      return { ...state, watch: { state: 'established', sinceMs: nowMs, error: null } };
    case 'watch/closed':
      return { ...state, watch: { state: 'closed', sinceMs: nowMs, error: null } };
    case 'watch/failed':
      return { ...state, watch: { state: 'failed', sinceMs: nowMs, error: event.error } };
    case 'desired/changed':
      return { ...state, mounted: event.desired.mounted };
    case 'certificate/concluded': {
      const { load } = state;
      const isSame = load !== null && isSameResult(load.event, event.load);
      const sinceMs = isSame ? load.sinceMs : nowMs;
      return { ...state, load: { event: event.load, sinceMs }, shown: nextShown(state.shown, event.load, sinceMs) };
    }
    case 'readiness/changed':
      return { ...state, readiness: event.readiness };
    case 'replica/acknowledged':
      return { ...state, acknowledgedHash: event.hash };
    case 'replica/withdrawn':
      return { ...state, acknowledgedHash: null };
    case 'pod/forbidden':
      return { ...state, isPodForbidden: true };
    case 'leadership/acquired':
      return { ...state, leading: true };
    case 'leadership/lost':
    case 'leadership/released':
      return { ...state, leading: false, observation: null, source: null, failing: null, settling: null, refused: [] };
    case 'cluster/observed':
      return { ...state, observation: event.observed, source: nextSource(state.source, event.observed, nowMs) };
    case 'trust/settling': {
      const { untilMs } = event;
      return { ...state, settling: untilMs === null ? null : { sinceMs: nowMs, untilMs } };
    }
    case 'step/failed': {
      const { step, error } = event;
      return { ...state, failing: { step: step.kind, error, sinceMs: state.failing?.sinceMs ?? nowMs } };
    }
    case 'object/refused': {
      const { object, error: reason } = event;
      return { ...state, refused: [...state.refused.filter((one) => one.object !== object), { object, reason }] };
    }
    case 'object/accepted':
      return { ...state, refused: state.refused.filter(({ object }) => object !== event.object) };
    case 'step/done':
      return { ...state, failing: null };
    default:
      return state;
  }
};

/**
 * Returns the state after an event. Pure.
 *
 * @param identity the name of this replica
 */
export const reduce = (state: ReplicaState, event: ReplicaEvent, identity: string, nowMs: number): ReplicaState => {
  const isFirstSight = !state.leaseSeen;
  const rotations = nextRotations(state.rotations, event, { identity, nowMs, isFirstSight });
  const silentHolder = nextSilentHolder(state.silentHolder, event, identity, nowMs);
  return { ...next(state, event, nowMs), silentHolder, errors: nextErrors(state, event), rotations };
};
