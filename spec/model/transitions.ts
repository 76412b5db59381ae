import { issuers } from '../../streams/issuers.ts';
import { accidents } from './accidents.ts';
import { NOW_MS, observed, POLICY, type Rest, type State, type Target, verifies } from './cluster.ts';
import { leavesIn } from './encoding.ts';
import { type Breach, breachesOfPlan } from './laws.ts';
import type { Scope } from './scope.ts';
import { applied, plannedStep, replaced, restsOn, writes, written } from './writes.ts';

export interface Transition {
  readonly label: string;
  readonly next: State;
  /** It comes from outside: a cluster that is left alone does not make it. */
  readonly isAccident: boolean;
  /** The laws that it breaks. */
  readonly breaches?: readonly Breach[];
}

const nextLeaf = (state: State): number => (leavesIn(state).at(-1) ?? -1) + 1;

const leaderMoves = (state: State, scope: Scope): readonly Transition[] => {
  const lags = scope.apiServers > 1;
  return state.leaders.flatMap((planned, at): readonly Transition[] => {
    const name = scope.leaders === 1 ? 'the leader' : `leader ${at}`;
    const move = (label: string, own: State['leaders'][number], isAccident = false): Transition => ({
      label: `${name} ${label}`,
      next: { ...state, leaders: replaced(state.leaders, at, own) },
      isAccident,
    });
    if (planned === null) {
      const plan = scope.plan ?? issuers[scope.issuer].plan;
      const step = plan(observed(state), POLICY, NOW_MS);
      if (step === null) return [];
      const own = plannedStep(step);
      const next = { step: own, isChecked: false, leaf: null, rests: restsOn(step), isBeforeMark: false };
      return [{ ...move(`plans ${step.kind}`, next), breaches: breachesOfPlan(state, own, scope) }];
    }
    const { step, isChecked, rests } = planned;
    const gone = move(`ends before ${step.kind}`, null, true);
    if (!isChecked && rests.length > 1) {
      const { ca } = state;
      if (step.kind === 'issue-leaf' && ca?.hasKey !== true) return [gone];
      const issued =
        step.kind === 'issue-leaf' && ca !== null ? { id: nextLeaf(state), ca: ca.current, via: ca.via } : null;
      const leaf = step.kind === 'copy-secret' ? (state.source?.leaf ?? null) : issued;
      const own: readonly Rest[] = [writes(step)];
      return [gone, move(`reads what ${step.kind} rests on`, { ...planned, isChecked: true, leaf, rests: own })];
    }
    const where = step.kind === 'inject' ? ` target-${step.target}` : '';
    const label = `${name} writes ${step.kind}${where}`;
    return [gone, { label, next: applied(state, planned, at, lags), isAccident: false }];
  });
};

/** Replicas differ in nothing: a name would be another one in each state. */
const replicaMoves = (state: State): readonly Transition[] =>
  state.replicas.flatMap((replica, at): readonly Transition[] => {
    const { mounted, serves, acknowledged } = replica;
    const moves: Transition[] = [];
    const move = (label: string, next: typeof replica): void =>
      void moves.push({ label, next: { ...state, replicas: replaced(state.replicas, at, next) }, isAccident: false });
    if (state.secret !== null && JSON.stringify(mounted) !== JSON.stringify(state.secret))
      move(`a kubelet mounts leaf ${state.secret.leaf.id}`, { ...replica, mounted: state.secret });
    if (
      mounted !== null &&
      mounted.leaf.id === state.announced &&
      serves?.id !== mounted.leaf.id &&
      !state.expired.leaves.includes(mounted.leaf.id) &&
      verifies(mounted.leaf, mounted.trust, state.expired)
    )
      move(`a replica serves leaf ${mounted.leaf.id}`, { ...replica, serves: mounted.leaf });
    if (serves !== null && serves.id !== acknowledged)
      move(`a replica acknowledges leaf ${serves.id}`, { ...replica, acknowledged: serves.id });
    return moves;
  });

const caughtUp = (target: Target, versions: number): Target => ({
  ...target,
  behind: target.behind.slice(versions),
  dueAtSettle: Math.max(0, target.dueAtSettle - versions),
  dueAtOverlap: Math.max(0, target.dueAtOverlap - versions),
});

/** An API server takes up one change of a caBundle; or all that it must have taken up by when a time is over. */
const timeMoves = (state: State): readonly Transition[] => {
  const moves = state.targets.flatMap((target, at): readonly Transition[] =>
    target.behind.length === 0
      ? []
      : [
          {
            label: `the API server takes up a change of target-${at}`,
            next: { ...state, targets: replaced(state.targets, at, caughtUp(target, 1)) },
            isAccident: false,
          },
        ],
  );
  const pass = (label: string, next: State): void => void moves.push({ label, next, isAccident: false });
  const { served, trusted, targets } = state;
  if (served === 'recent')
    pass('CA_OVERLAP passes', {
      ...written(state, 'lease'),
      served: 'long',
      targets: targets.map((target) => caughtUp(target, target.dueAtOverlap)),
    });
  if (trusted?.isSettled === false)
    pass('TRUST_SETTLE passes', {
      ...state,
      trusted: { ...trusted, isSettled: true },
      leaders: state.leaders.map((planned) => (planned?.isBeforeMark === true ? null : planned)),
      targets: targets.map((target) => caughtUp(target, target.dueAtSettle)),
    });
  return moves;
};

/** Everything that may happen next. */
export const transitions = (state: State, scope: Scope): readonly Transition[] => [
  ...leaderMoves(state, scope),
  ...replicaMoves(state),
  ...timeMoves(state),
  ...(state.accidents >= scope.accidents
    ? []
    : accidents(state, scope).map(({ kind, next }) => ({
        label: kind,
        next: { ...next, accidents: state.accidents + 1 },
        isAccident: true,
      }))),
];
