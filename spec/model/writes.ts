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
  behind: lags
    ? // Over an empty caBundle no call has ever succeeded.
      [...behind, { bundle: before, isExcused: isTampered || isExcused || before.length === 0 }]
    : [],
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
      const via = before.ca?.hasKey === true ? [before.ca.current, ...before.ca.via] : [];
      return { ...state, ca: { current, hasKey: true, bundle: sorted([current, ...cas]), via: sorted(via) } };
    }
    case 'extend-ca-bundle':
    case 'prune-ca-bundle': {
      const { ca } = before;
      if (ca === null) return state;
      return { ...state, ca: { ...ca, bundle: sorted([ca.current, ...cas]), via: cas.length === 0 ? [] : ca.via } };
    }
    case 'inject': {
      const old = before.targets[step.target]!;
      const target = rewritten(old, cas, { lags, byOthers: false });
      const next = { ...state, targets: replaced(state.targets, step.target, target) };
      const { trusted } = state;
      // A leader counts anew when a caBundle has got what it lacked.
      const isGain =
        trusted?.cas.every((id) => cas.includes(id)) === true && !trusted.cas.every((id) => old.bundle.includes(id));
      return isGain ? marked(next, trusted.cas) : next;
    }
    case 'issue-leaf':
      return leaf === null ? state : { ...state, secret: { leaf, trust: cas } };
    case 'update-secret-ca':
      return { ...state, secret: state.secret && { ...state.secret, trust: cas } };
    case 'announce': {
      const rotate = flag ? null : state.rotate;
      // An announcement of another hash begins without the mark of the one before (src/cluster/lease-codec.ts).
      return { ...noLongerServed(state), announced: step.id, rotate };
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

/** The mark stands on the Lease, and TRUST_SETTLE begins. */
const marked = (state: State, cas: Ids): State => ({
  ...state,
  trusted: { cas, isSettled: false },
  leaders: state.leaders.map((planned) => planned && { ...planned, isBeforeMark: true }),
  targets: state.targets.map((one) => ({ ...one, dueAtSettle: one.behind.length })),
});
