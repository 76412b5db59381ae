import { type State, verifies } from './cluster.ts';
import { canonical, type Scope, transitions } from './transitions.ts';

export interface Violation {
  readonly law: string;
  readonly what: string;
  /** What happened, first to last: a shortest history that leads there. */
  readonly trace: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly violations: readonly Violation[];
  /** How many states there are from which the goal cannot be reached any more. */
  readonly stuck: number;
  /** Shortest histories to the first of those. */
  readonly stuckTraces: readonly (readonly string[])[];
}

/** Where everything begins: the targets and the replicas, and with an external issuer the Secret it wrote. */
export const start = (scope: Scope): State => ({
  ca: null,
  secret: scope.issuer === 'external' ? { leaf: { id: 0, ca: 0, via: [] }, trust: [0] } : null,
  announced: null,
  rotate: null,
  served: 'no',
  targets: Array.from({ length: scope.targets }, () => ({
    bundle: [],
    isTampered: false,
    refuses: false,
    isExcused: false,
  })),
  replicas: Array.from({ length: scope.replicas }, () => ({ mounted: null, serves: null, acknowledged: null })),
  leaders: Array.from({ length: scope.leaders }, () => null),
  accidents: 0,
});

/** L2: what a replica serves verifies against every caBundle. */
const refusedCall = (state: State): string | null => {
  for (const [replica, { serves }] of state.replicas.entries())
    for (const [target, { bundle, isExcused }] of state.targets.entries())
      if (serves !== null && !isExcused && !verifies(serves, bundle))
        return `replica-${replica} serves leaf ${serves.id} of CA ${serves.ca}, target-${target} trusts [${bundle.join(' ')}]`;
  return null;
};

/**
 * Nothing is left to do: one CA, one leaf, announced, mounted, served and acknowledged everywhere. While a target refuses
 * its writes, a change of CA may wait for it; the leaf and the other targets may not (L9).
 */
const isGoal = (state: State): boolean => {
  const { secret, ca, rotate, announced, replicas, leaders } = state;
  if (secret?.leaf.id !== announced || leaders.some((planned) => planned !== null)) return false;
  if (replicas.some(({ serves, acknowledged }) => serves?.id !== announced || acknowledged !== announced)) return false;
  const writable = state.targets.filter(({ refuses }) => !refuses);
  if (writable.length < state.targets.length)
    return rotate !== 'leaf' && writable.every(({ bundle }) => bundle.includes(secret.leaf.ca));
  const isRotated = rotate === null && state.served === 'no' && (ca === null || ca.bundle.length === 1);
  return isRotated && writable.every(({ bundle }) => bundle.length === 1 && bundle[0] === secret.leaf.ca);
};

/** A change of CA has begun or is needed, and must wait for a target that refuses its write and trusts the older CA only. */
const isWaiting = ({ ca, secret, targets }: State, issuer: Scope['issuer']): boolean => {
  const next = issuer === 'external' ? secret?.leaf.ca : ca?.hasKey === true ? ca.current : undefined;
  return targets.some(
    ({ bundle, refuses }) => refuses && bundle.length > 0 && (next === undefined || !bundle.includes(next)),
  );
};

/**
 * Visits every state within the scope, breadth first, so that the history to each is a shortest one. Checks L2 in each
 * state, and on the whole graph that the goal can be reached from everywhere without another accident.
 */
export const explore = (scope: Scope, { mostStates = 5_000_000 } = {}): Exploration => {
  const seen = new Map<string, number>();
  const states: State[] = [];
  const from: number[] = [];
  const labels: string[] = [];
  /** For each state those that lead to it without an accident. */
  const before: number[][] = [];
  const goals: number[] = [];
  const violations: Violation[] = [];
  let count = 0;

  const trace = (at: number): readonly string[] => {
    const lines: string[] = [];
    for (let here = at; here > 0; here = from[here] ?? 0) lines.unshift(labels[here] ?? '');
    return lines;
  };
  const visit = (state: State, parent: number, label: string): number => {
    const key = JSON.stringify(state);
    const known = seen.get(key);
    if (known !== undefined) return known;
    const at = states.length;
    seen.set(key, at);
    states.push(state);
    from.push(parent);
    labels.push(label);
    before.push([]);
    const what = refusedCall(state);
    if (what !== null) violations.push({ law: 'L2', what, trace: trace(at) });
    if (isGoal(state) || isWaiting(state, scope.issuer)) goals.push(at);
    return at;
  };

  visit(canonical(start(scope)), 0, '');
  let at = 0;
  while (at < states.length && violations.length === 0) {
    if (states.length > mostStates) throw new Error(`more than ${mostStates} states: choose a smaller scope`);
    for (const { label, next, isAccident } of transitions(states[at]!, scope)) {
      count += 1;
      const to = visit(canonical(next), at, label);
      if (!isAccident) before[to]?.push(at);
    }
    // What has been expanded is needed no more.
    states[at] = null as never;
    at += 1;
  }

  const reaches = new Uint8Array(states.length);
  const queue = [...goals];
  for (const goal of goals) reaches[goal] = 1;
  // The queue grows while it is read.
  for (const state of queue)
    for (const earlier of before[state] ?? [])
      if (reaches[earlier] === 0) {
        reaches[earlier] = 1;
        queue.push(earlier);
      }
  const stuck = violations.length > 0 ? [] : [...reaches.entries()].filter(([, is]) => is === 0).map(([at]) => at);
  return {
    states: states.length,
    transitions: count,
    violations,
    stuck: stuck.length,
    stuckTraces: stuck.slice(0, 3).map(trace),
  };
};
