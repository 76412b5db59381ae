import type { Step } from '../../streams/step.ts';
import {
  type Id,
  idOf,
  type Ids,
  leafIdOf,
  type Planned,
  type PlannedStep,
  type Rest,
  sorted,
  type State,
  type Target,
  targetOf,
} from './cluster.ts';
import { casIn } from './encoding.ts';

const idsOf = (certificates: readonly { readonly fingerprint: string }[]) =>
  sorted(certificates.map(({ fingerprint }) => idOf(fingerprint)));

/** Of a step what its write needs. */
export const plannedStep = (step: Step): PlannedStep => {
  const bare = { kind: step.kind, target: 0, cas: [], id: null, flag: false };
  switch (step.kind) {
    case 'issue-ca':
    case 'extend-ca-bundle':
    case 'prune-ca-bundle':
      return { ...bare, cas: idsOf(step.keep) };
    case 'inject':
      return { ...bare, target: targetOf(step.target), cas: idsOf(step.trust) };
    case 'issue-leaf':
      return { ...bare, cas: idsOf(step.ca.bundle) };
    case 'copy-secret':
      return { ...bare, cas: idsOf(step.trust) };
    case 'update-secret-ca':
      return { ...bare, cas: idsOf(step.trust) };
    case 'announce':
      return { ...bare, id: leafIdOf(step.announcement.hash), flag: step.clearsRotationRequest };
    case 'record-served':
      return { ...bare, flag: step.sinceMs !== null };
    case 'record-trusted':
      return { ...bare, cas: sorted(step.trusted.cas.map(idOf)) };
    case 'set-rotation-request':
      return { ...bare, id: step.rotate?.startsWith('ca/') === true ? idOf(step.rotate.slice('ca/'.length)) : null };
  }
};

/** The object that a step writes. */
export const writes = ({ kind, target }: Pick<PlannedStep, 'kind' | 'target'>): Rest => {
  switch (kind) {
    case 'inject':
      return target;
    case 'issue-leaf':
    case 'copy-secret':
    case 'update-secret-ca':
      return 'secret';
    case 'issue-ca':
    case 'extend-ca-bundle':
    case 'prune-ca-bundle':
      return 'ca';
    case 'announce':
    case 'record-served':
    case 'record-trusted':
    case 'set-rotation-request':
      return 'lease';
  }
};

/** What must not change between plan and write: the object itself, and what is read right before. */
export const restsOn = (step: Step): readonly Rest[] => {
  const own = writes(plannedStep(step));
  if (step.kind === 'issue-leaf') return [own, 'ca'];
  if (step.kind === 'copy-secret') return [own, 'source'];
  if (step.kind === 'inject' && step.precondition !== undefined) return [own, step.precondition.object];
  return [own];
};

/** With this object written: whatever a leader has planned on it ends as a conflict, and is planned anew. */
export const written = (state: State, object: Rest): State => ({
  ...state,
  leaders: state.leaders.map((planned) => (planned?.rests.includes(object) === true ? null : planned)),
});

export const replaced = <T>(list: readonly T[], at: number, value: T): readonly T[] =>
  list.map((each, index) => (index === at ? value : each));

/** The target with another caBundle: an API server that lags goes on with the one before. */
export const rewritten = (
  { bundle: before, isTampered, refuses, isExcused, behind, dueAtSettle, dueAtOverlap }: Target,
  bundle: Target['bundle'],
  { lags, byOthers }: { readonly lags: boolean; readonly byOthers: boolean },
): Target => ({
  bundle,
  isTampered: byOthers,
  refuses: byOthers && refuses,
  isExcused: byOthers && isExcused,
  behind: lags ? [...behind, { bundle: before, isExcused: isTampered || isExcused }] : [],
  dueAtSettle,
  dueAtOverlap,
});

export const nextCa = (state: State): Id => (casIn(state).at(-1) ?? -1) + 1;

/** The cluster after a leader's write got through. */
export const applied = (before: State, { step, leaf }: Planned, leader: number, lags: boolean): State => {
  const after = written(before, writes(step));
  const state = { ...after, leaders: replaced(after.leaders, leader, null) };
  const { cas, flag } = step;
  switch (step.kind) {
    case 'issue-ca': {
      const current = nextCa(before);
      const { ca: older, expired, due } = before;
      const canSign = older?.hasKey === true && !expired.cas.includes(older.current);
      const via = canSign ? [older.current, ...older.via] : [];
      return {
        ...state,
        due: { ...due, ca: false },
        ca: { current, hasKey: true, bundle: sorted([current, ...cas]), via: sorted(via) },
      };
    }
    case 'extend-ca-bundle':
    case 'prune-ca-bundle': {
      const { ca } = before;
      if (ca === null) return state;
      return { ...state, ca: { ...ca, bundle: sorted([ca.current, ...cas]), via: cas.length === 0 ? [] : ca.via } };
    }
    case 'inject': {
      const old = before.targets[step.target]!;
      if (old.refuses) return { ...before, leaders: replaced(before.leaders, leader, null) };
      const target = rewritten(old, cas, { lags, byOthers: false });
      return unsettled({ ...state, targets: replaced(state.targets, step.target, target) }, old);
    }
    case 'issue-leaf':
    case 'copy-secret':
      return leaf === null ? state : { ...state, secret: { leaf, trust: cas }, due: { ...state.due, leaf: false } };
    case 'update-secret-ca':
      return { ...state, secret: state.secret && { ...state.secret, trust: cas } };
    case 'announce': {
      const rotate = flag ? null : state.rotate;
      // An announcement of another hash begins without the mark of the one before (src/cluster/lease-codec.ts).
      return overdue(before, { ...noLongerServed(state), announced: step.id, rotate });
    }
    case 'record-served':
      return flag
        ? {
            ...state,
            served: 'recent',
            targets: state.targets.map((one) => ({ ...one, dueAtOverlap: one.behind.length })),
          }
        : noLongerServed(state);
    case 'record-trusted':
      return marked(state, cas);
    case 'set-rotation-request':
      return { ...state, rotate: step.id };
  }
};

export const noLongerServed = (state: State): State => ({
  ...state,
  served: 'no',
  targets: state.targets.map((target) => ({ ...target, dueAtOverlap: 0 })),
});

/** A leader counts anew when a caBundle that lacked what is marked has changed: an API server may still call with what it held. */
export const unsettled = (state: State, { bundle: before }: Target): State =>
  state.trusted === null || state.trusted.cas.every((id) => before.includes(id))
    ? state
    : marked(state, state.trusted.cas);

export const isAnnouncementExpired = ({ announced, expired }: State): boolean =>
  announced !== null && expired.leaves.includes(announced);

/** A leaf that replaces an expired one waits neither for API servers that lag nor for targets that refuse: docs/contract.md, section 11. */
const overdue = (before: State, state: State): State =>
  isAnnouncementExpired(before)
    ? {
        ...state,
        targets: state.targets.map((target) => ({
          ...target,
          isExcused: target.isExcused || target.refuses,
          behind: target.behind.map((version) => ({ ...version, isExcused: true })),
        })),
      }
    : state;

/** The mark stands on the Lease, and TRUST_SETTLE begins. */
export const marked = (state: State, cas: Ids): State => ({
  ...state,
  trusted: { cas, isSettled: false },
  leaders: state.leaders.map((planned) => planned && { ...planned, isBeforeMark: true }),
  targets: state.targets.map((one) => ({ ...one, dueAtSettle: one.behind.length })),
});
