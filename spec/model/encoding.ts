import type { Step } from '../../streams/step.ts';
import {
  type Id,
  type Ids,
  type Leaf,
  type Pair,
  type Planned,
  type Rest,
  sorted,
  type State,
  type Target,
} from './cluster.ts';

/**
 * A state as a short string, the same for all states that differ in the numbers of their certificates or in the order of
 * their replicas only. Each character is a number: 0 is nothing, sets are bits.
 */

const KINDS: readonly Step['kind'][] = [
  'issue-ca',
  'extend-ca-bundle',
  'inject',
  'issue-leaf',
  'announce',
  'record-served',
  'record-trusted',
  'set-rotation-request',
  'prune-ca-bundle',
  'update-secret-ca',
  'copy-secret',
];
const RESTS: readonly Rest[] = ['ca', 'secret', 'lease', 0, 1, 2, 3, 'source'];
const SERVED: readonly State['served'][] = ['no', 'recent', 'long'];
/** Sets have 16 bits. */
const MOST_IDS = 16;

/** Every CA that is still mentioned somewhere. */
export const casIn = (state: State): Ids => {
  const ids = new Set<Id>();
  const add = (more: Ids): void => more.forEach((id) => ids.add(id));
  const leaf = (one: Leaf | null): void => {
    if (one !== null) add([one.ca, ...one.via]);
  };
  const pair = (one: Pair | null): void => {
    leaf(one?.leaf ?? null);
    add(one?.trust ?? []);
  };
  if (state.ca !== null) add([state.ca.current, ...state.ca.bundle, ...state.ca.via]);
  pair(state.secret);
  pair(state.source);
  if (typeof state.rotate === 'number') ids.add(state.rotate);
  add(state.trusted?.cas ?? []);
  for (const { bundle, behind } of state.targets) {
    add(bundle);
    for (const version of behind) add(version.bundle);
  }
  for (const { mounted, serves } of state.replicas) {
    pair(mounted);
    leaf(serves);
  }
  for (const planned of state.leaders) {
    if (planned === null) continue;
    leaf(planned.leaf);
    const { kind, cas, id } = planned.step;
    add(cas);
    if (kind === 'set-rotation-request' && id !== null) ids.add(id);
  }
  return sorted(ids);
};

export const leavesIn = (state: State): Ids => {
  const ids = new Set<Id>();
  const add = (id: Id | null | undefined): void => {
    if (id !== null && id !== undefined) ids.add(id);
  };
  add(state.secret?.leaf.id);
  add(state.source?.leaf.id);
  add(state.announced);
  for (const { mounted, serves, acknowledged } of state.replicas) {
    add(mounted?.leaf.id);
    add(serves?.id);
    add(acknowledged);
  }
  for (const planned of state.leaders) {
    add(planned?.leaf?.id);
    if (planned?.step.kind === 'announce') add(planned.step.id);
  }
  return sorted(ids);
};

const numbered = (ids: Ids): readonly number[] => {
  if (ids.length > MOST_IDS) throw new Error(`more than ${MOST_IDS} certificates in one state`);
  const numbers: number[] = [];
  ids.forEach((id, at) => (numbers[id] = at));
  return numbers;
};

const bits = (flags: readonly boolean[]): number => flags.reduce((sum, flag, at) => sum | (flag ? 1 << at : 0), 0);

export const encode = (state: State): string => {
  const cas = numbered(casIn(state));
  const leaves = numbered(leavesIn(state));
  const ca = (id: Id): number => cas[id]!;
  const set = (ids: Ids): number => ids.reduce((sum, id) => sum | (1 << ca(id)), 0);
  const leafOf = (one: Leaf | null): readonly number[] =>
    one === null ? [0] : [leaves[one.id]! + 1, ca(one.ca), set(one.via)];
  const pairOf = (one: Pair | null): readonly number[] => (one === null ? [0] : [...leafOf(one.leaf), set(one.trust)]);
  const idOr0 = (id: Id | null): number => (id === null ? 0 : leaves[id]! + 1);
  const targetOf = (target: Target): readonly number[] => [
    set(target.bundle),
    bits([target.isTampered, target.refuses, target.isExcused]),
    target.behind.length,
    ...target.behind.flatMap(({ bundle, isExcused }) => [set(bundle), Number(isExcused)]),
    target.dueAtSettle,
    target.dueAtOverlap,
  ];
  const plannedOf = (planned: Planned | null): readonly number[] => {
    if (planned === null) return [0];
    const { step, isChecked, leaf, rests, isBeforeMark } = planned;
    const isLeaf = step.kind === 'announce';
    return [
      KINDS.indexOf(step.kind) + 1,
      step.target,
      set(step.cas),
      step.id === null ? 0 : (isLeaf ? leaves[step.id]! : ca(step.id)) + 1,
      bits([step.flag, isChecked, isBeforeMark]),
      ...leafOf(leaf),
      bits(RESTS.map((rest) => rests.includes(rest))),
    ];
  };
  const { rotate, trusted } = state;
  const replicas = state.replicas
    .map(({ mounted, serves, acknowledged }) =>
      String.fromCharCode(...pairOf(mounted), ...leafOf(serves), idOr0(acknowledged)),
    )
    .sort()
    .join('');
  const rest = [
    ...(state.ca === null
      ? [0]
      : [ca(state.ca.current) + 1, Number(state.ca.hasKey), set(state.ca.bundle), set(state.ca.via)]),
    ...pairOf(state.secret),
    ...pairOf(state.source),
    idOr0(state.announced),
    rotate === null ? 0 : rotate === 'leaf' ? 1 : rotate === 'ca' ? 2 : 3 + ca(rotate),
    SERVED.indexOf(state.served),
    ...(trusted === null ? [0] : [1 + Number(trusted.isSettled), set(trusted.cas)]),
    set(state.expired.cas.filter((id) => cas[id] !== undefined)),
    state.expired.leaves.reduce((sum, id) => sum | (leaves[id] === undefined ? 0 : 1 << leaves[id]), 0),
    bits([state.due.ca, state.due.leaf]),
    state.accidents,
    ...state.leaders.flatMap(plannedOf),
    ...state.targets.flatMap(targetOf),
  ];
  return String.fromCharCode(...rest) + replicas;
};

/** The state of which this is the encoding, its certificates numbered from 0, oldest first. */
export const decode = (
  text: string,
  { targets, replicas, leaders }: { readonly targets: number; readonly replicas: number; readonly leaders: number },
): State => {
  let at = 0;
  const next = (): number => text.charCodeAt(at++);
  const set = (): Ids => {
    const ids: Id[] = [];
    const mask = next();
    for (let id = 0; id < MOST_IDS; id += 1) if ((mask & (1 << id)) !== 0) ids.push(id);
    return ids;
  };
  const leaf = (): Leaf | null => {
    const id = next();
    return id === 0 ? null : { id: id - 1, ca: next(), via: set() };
  };
  const pair = (): Pair | null => {
    const one = leaf();
    return one && { leaf: one, trust: set() };
  };
  const idOrNull = (): Id | null => {
    const id = next();
    return id === 0 ? null : id - 1;
  };
  const times = <T>(count: number, read: () => T): readonly T[] => Array.from({ length: count }, read);
  const planned = (): Planned | null => {
    const kind = next();
    if (kind === 0) return null;
    const [target, cas, id, flags] = [next(), set(), idOrNull(), next()];
    const step = { kind: KINDS[kind - 1]!, target, cas, id, flag: (flags & 1) !== 0 };
    const own = leaf();
    const rests = next();
    return {
      step,
      isChecked: (flags & 2) !== 0,
      isBeforeMark: (flags & 4) !== 0,
      leaf: own,
      rests: RESTS.filter((_, index) => (rests & (1 << index)) !== 0),
    };
  };
  const target = (): Target => {
    const [bundle, flags] = [set(), next()];
    const behind = times(next(), () => ({ bundle: set(), isExcused: next() === 1 }));
    return {
      bundle,
      isTampered: (flags & 1) !== 0,
      refuses: (flags & 2) !== 0,
      isExcused: (flags & 4) !== 0,
      behind,
      dueAtSettle: next(),
      dueAtOverlap: next(),
    };
  };
  const current = idOrNull();
  const ca = current === null ? null : { current, hasKey: next() === 1, bundle: set(), via: set() };
  const secret = pair();
  const source = pair();
  const announced = idOrNull();
  const rotate = next();
  const served = SERVED[next()]!;
  const mark = next();
  const trusted = mark === 0 ? null : { cas: set(), isSettled: mark === 2 };
  const expired = { cas: set(), leaves: set() };
  const due = next();
  return {
    ca,
    secret,
    source,
    announced,
    rotate: rotate === 0 ? null : rotate === 1 ? 'leaf' : rotate === 2 ? 'ca' : rotate - 3,
    served,
    trusted,
    expired,
    due: { ca: (due & 1) !== 0, leaf: (due & 2) !== 0 },
    accidents: next(),
    leaders: times(leaders, planned),
    targets: times(targets, target),
    replicas: times(replicas, () => ({ mounted: pair(), serves: leaf(), acknowledged: idOrNull() })),
  };
};
