import { type Issuer, issuers } from '../../streams/issuers.ts';
import type { Step } from '../../streams/step.ts';
import {
  idOf,
  type Leaf,
  NOW_MS,
  observed,
  type Pair,
  type Planned,
  POLICY,
  replicaName,
  type State,
  verifies,
} from './cluster.ts';

/** What may happen to the cluster from outside, any time. Each costs one of the accidents that a run allows. */
export const ACCIDENTS = [
  'leaf rotation requested',
  'CA rotation requested',
  'Secret deleted',
  'SECRET-ca deleted',
  'CA key lost',
  'SECRET-ca restored from an older backup',
  'announcement removed',
  'replica restarted',
  'target refuses writes',
  'issuer renews under the same CA',
  'issuer renews under a new CA',
] as const;
export type Accident = (typeof ACCIDENTS)[number];

export interface Scope {
  readonly issuer: keyof typeof issuers;
  readonly replicas: number;
  readonly targets: number;
  readonly leaders: number;
  /** How many accidents one history has at most. */
  readonly accidents: number;
  /** Which of them; all that suit the issuer by default. */
  readonly kinds?: readonly Accident[];
  /** Plans in the place of the issuer's own, for a planted bug. */
  readonly plan?: Issuer['plan'];
}

export interface Transition {
  readonly label: string;
  readonly next: State;
  /** It comes from outside: a cluster that is left alone does not make it. */
  readonly isAccident: boolean;
}

const sorted = (ids: Iterable<number>): readonly number[] => [...new Set(ids)].sort((left, right) => left - right);
const idsOf = (certificates: readonly { readonly fingerprint: string }[]): readonly number[] =>
  sorted(certificates.map(idOf));

/** Every CA that is still mentioned somewhere. */
const casIn = (state: State): readonly number[] => {
  const ids = new Set<number>();
  const add = (...more: readonly number[]): void => more.forEach((id) => ids.add(id));
  const pair = (one: Pair | null): void => {
    if (one !== null) add(one.leaf.ca, ...one.leaf.via, ...one.trust);
  };
  if (state.ca !== null) add(state.ca.current, ...state.ca.bundle, ...state.ca.via);
  pair(state.secret);
  if (typeof state.rotate === 'number') add(state.rotate);
  for (const { bundle } of state.targets) add(...bundle);
  for (const { mounted, serves } of state.replicas) {
    pair(mounted);
    if (serves !== null) add(serves.ca, ...serves.via);
  }
  for (const planned of state.leaders) {
    if (planned === null) continue;
    if (planned.leaf !== null) add(planned.leaf.ca, ...planned.leaf.via);
    const { step } = planned;
    if ('keep' in step) add(...idsOf(step.keep));
    if ('trust' in step) add(...idsOf(step.trust));
    if (step.kind === 'issue-leaf') add(...idsOf(step.ca.bundle));
    if (step.kind === 'set-rotation-request' && step.rotate?.startsWith('ca/') === true)
      add(Number(step.rotate.slice(5)));
  }
  return sorted(ids);
};

const leavesIn = (state: State): readonly number[] => {
  const ids = new Set<number>();
  if (state.secret !== null) ids.add(state.secret.leaf.id);
  if (state.announced !== null) ids.add(state.announced);
  for (const { mounted, serves, acknowledged } of state.replicas) {
    if (mounted !== null) ids.add(mounted.leaf.id);
    if (serves !== null) ids.add(serves.id);
    if (acknowledged !== null) ids.add(acknowledged);
  }
  for (const planned of state.leaders) {
    if (planned?.leaf) ids.add(planned.leaf.id);
    if (planned?.step.kind === 'announce') ids.add(Number(planned.step.announcement.hash.slice(4)));
  }
  return sorted(ids);
};

const renamedStep = (step: Step, ca: (id: number) => number, leaf: (id: number) => number): Step => {
  const infos = <T extends { readonly fingerprint: string }>(list: readonly T[]): readonly T[] =>
    sorted(list.map((info) => ca(idOf(info)))).map((id) => ({
      fingerprint: `ca${id}`,
    })) as readonly unknown[] as readonly T[];
  switch (step.kind) {
    case 'announce': {
      const hash = `leaf${leaf(Number(step.announcement.hash.slice(4)))}`;
      return { ...step, announcement: { ...step.announcement, hash } };
    }
    case 'set-rotation-request':
      return step.rotate?.startsWith('ca/') === true
        ? { ...step, rotate: `ca/ca${ca(Number(step.rotate.slice(5)))}` }
        : step;
    case 'issue-leaf':
      return { ...step, ca: { ...step.ca, bundle: infos(step.ca.bundle), current: null }, plannedOn: 'absent' };
    case 'record-served':
      return step;
    case 'inject':
      return {
        ...step,
        trust: infos(step.trust),
        plannedOn: null as never,
        ...(step.precondition && { precondition: { object: step.precondition.object, state: null as never } }),
      };
    case 'update-secret-ca':
      return { ...step, trust: infos(step.trust), plannedOn: null as never };
    default:
      return { ...step, keep: infos(step.keep), plannedOn: null as never };
  }
};

/** The same state with its certificates numbered from 0, oldest first, so that histories which differ in numbers alone meet. */
export const canonical = (state: State): State => {
  const cas = new Map(casIn(state).map((id, at) => [id, at]));
  const leaves = new Map(leavesIn(state).map((id, at) => [id, at]));
  const ca = (id: number): number => cas.get(id) ?? 0;
  const leafId = (id: number): number => leaves.get(id) ?? 0;
  const set = (ids: readonly number[]): readonly number[] => sorted(ids.map(ca));
  const leaf = (one: Leaf): Leaf => ({ id: leafId(one.id), ca: ca(one.ca), via: set(one.via) });
  const pair = (one: Pair | null): Pair | null => one && { leaf: leaf(one.leaf), trust: set(one.trust) };
  return {
    ca: state.ca && {
      current: ca(state.ca.current),
      hasKey: state.ca.hasKey,
      bundle: set(state.ca.bundle),
      via: set(state.ca.via),
    },
    secret: pair(state.secret),
    announced: state.announced === null ? null : leafId(state.announced),
    rotate: typeof state.rotate === 'number' ? ca(state.rotate) : state.rotate,
    served: state.served,
    targets: state.targets.map(({ bundle, ...rest }) => ({ ...rest, bundle: set(bundle) })),
    replicas: state.replicas.map(({ mounted, serves, acknowledged }) => ({
      mounted: pair(mounted),
      serves: serves && leaf(serves),
      acknowledged: acknowledged === null ? null : leafId(acknowledged),
    })),
    leaders: state.leaders.map(
      (planned): Planned | null =>
        planned && {
          step: renamedStep(planned.step, ca, leafId),
          isChecked: planned.isChecked,
          leaf: planned.leaf && leaf(planned.leaf),
          rests: planned.rests,
        },
    ),
    accidents: state.accidents,
  };
};

/** The object that a step writes. */
const writes = (step: Step): string => {
  switch (step.kind) {
    case 'inject':
      return step.target;
    case 'issue-leaf':
    case 'update-secret-ca':
      return 'secret';
    case 'issue-ca':
    case 'extend-ca-bundle':
    case 'prune-ca-bundle':
      return 'ca';
    default:
      return 'lease';
  }
};

const restsOn = (step: Step): readonly string[] => {
  if (step.kind === 'issue-leaf') return ['secret', 'ca'];
  if (step.kind === 'inject' && step.precondition !== undefined) return [step.target, step.precondition.object];
  return [writes(step)];
};

/** With this object written: whatever a leader has planned on it ends as a conflict, and is planned anew. */
const written = (state: State, object: string): State => ({
  ...state,
  leaders: state.leaders.map((planned) => (planned?.rests.includes(object) === true ? null : planned)),
});

const set = <T>(list: readonly T[], at: number, value: T): readonly T[] =>
  list.map((each, index) => (index === at ? value : each));

const nextLeaf = (state: State): number => (leavesIn(state).at(-1) ?? -1) + 1;
const nextCa = (state: State): number => (casIn(state).at(-1) ?? -1) + 1;

/** The cluster after a leader's write got through. */
const applied = (before: State, { step, leaf }: Planned, leader: number): State => {
  const state = { ...written(before, writes(step)) };
  const leaders = set(state.leaders, leader, null);
  switch (step.kind) {
    case 'issue-ca': {
      const current = nextCa(before);
      const via = before.ca?.hasKey === true ? [before.ca.current, ...before.ca.via] : [];
      return {
        ...state,
        leaders,
        ca: { current, hasKey: true, bundle: sorted([current, ...idsOf(step.keep)]), via: sorted(via) },
      };
    }
    case 'extend-ca-bundle':
    case 'prune-ca-bundle': {
      const { ca } = before;
      if (ca === null) return { ...state, leaders };
      const bundle = sorted([ca.current, ...idsOf(step.keep)]);
      return { ...state, leaders, ca: { ...ca, bundle, via: step.keep.length === 0 ? [] : ca.via } };
    }
    case 'inject': {
      const at = Number(step.target.slice(7));
      return {
        ...state,
        leaders,
        targets: set(state.targets, at, {
          bundle: idsOf(step.trust),
          isTampered: false,
          refuses: false,
          isExcused: false,
        }),
      };
    }
    case 'issue-leaf':
      return leaf === null ? state : { ...state, leaders, secret: { leaf, trust: idsOf(step.ca.bundle) } };
    case 'update-secret-ca':
      return { ...state, leaders, secret: state.secret && { ...state.secret, trust: idsOf(step.trust) } };
    case 'announce': {
      const announced = Number(step.announcement.hash.slice(4));
      const rotate = step.clearsRotationRequest ? null : state.rotate;
      // An announcement of another hash begins without the mark of the one before (src/cluster/lease-codec.ts).
      return { ...state, leaders, announced, rotate, served: announced === state.announced ? state.served : 'no' };
    }
    case 'record-served':
      return { ...state, leaders, served: step.sinceMs === null ? 'no' : 'recent' };
    case 'set-rotation-request': {
      const { rotate } = step;
      return {
        ...state,
        leaders,
        rotate: !rotate?.startsWith('ca/') ? (rotate as null) : Number(rotate.slice(5)),
      };
    }
  }
};

const leaderMoves = (state: State, scope: Scope): readonly Transition[] =>
  state.leaders.flatMap((planned, at): readonly Transition[] => {
    const name = `leader ${at}`;
    if (planned === null) {
      const plan = scope.plan ?? issuers[scope.issuer].plan;
      const step = plan(observed(state, scope.issuer), { ...POLICY, identity: replicaName(0) }, NOW_MS);
      if (step === null) return [];
      const next = { step, isChecked: false, leaf: null, rests: restsOn(step) };
      return [
        {
          label: `${name} plans ${step.kind}`,
          next: { ...state, leaders: set(state.leaders, at, next) },
          isAccident: false,
        },
      ];
    }
    const { step, isChecked, rests } = planned;
    const gone = {
      label: `${name} ends before ${step.kind}`,
      next: { ...state, leaders: set(state.leaders, at, null) },
      isAccident: true,
    };
    if (!isChecked && rests.length > 1) {
      const { ca } = state;
      if (step.kind === 'issue-leaf' && ca?.hasKey !== true) return [gone];
      const leaf =
        step.kind === 'issue-leaf' && ca !== null ? { id: nextLeaf(state), ca: ca.current, via: ca.via } : null;
      const next = { ...planned, isChecked: true, leaf, rests: [writes(step)] };
      return [
        gone,
        {
          label: `${name} reads what ${step.kind} rests on`,
          next: { ...state, leaders: set(state.leaders, at, next) },
          isAccident: false,
        },
      ];
    }
    const where = step.kind === 'inject' ? ` ${step.target}` : '';
    return [
      gone,
      { label: `${name} writes ${step.kind}${where}`, next: applied(state, planned, at), isAccident: false },
    ];
  });

const replicaMoves = (state: State): readonly Transition[] =>
  state.replicas.flatMap((replica, at): readonly Transition[] => {
    const name = replicaName(at);
    const { mounted, serves, acknowledged } = replica;
    const moves: Transition[] = [];
    const move = (label: string, next: typeof replica): void =>
      void moves.push({ label, next: { ...state, replicas: set(state.replicas, at, next) }, isAccident: false });
    if (state.secret !== null && JSON.stringify(mounted) !== JSON.stringify(state.secret))
      move(`the kubelet mounts leaf ${state.secret.leaf.id} in ${name}`, { ...replica, mounted: state.secret });
    if (
      mounted !== null &&
      mounted.leaf.id === state.announced &&
      serves?.id !== mounted.leaf.id &&
      verifies(mounted.leaf, mounted.trust)
    )
      move(`${name} serves leaf ${mounted.leaf.id}`, { ...replica, serves: mounted.leaf });
    if (serves !== null && serves.id !== acknowledged)
      move(`${name} acknowledges leaf ${serves.id}`, { ...replica, acknowledged: serves.id });
    return moves;
  });

/** The accidents that can happen with an issuer. */
export const accidentsOf = (issuer: Scope['issuer']): readonly Accident[] =>
  ACCIDENTS.filter((kind) => {
    if (kind.startsWith('issuer ')) return issuer === 'external';
    return (
      issuer !== 'external' || ['announcement removed', 'replica restarted', 'target refuses writes'].includes(kind)
    );
  });

const accident = (state: State, kind: Accident): readonly State[] => {
  switch (kind) {
    case 'leaf rotation requested':
      return state.rotate === null ? [{ ...written(state, 'lease'), rotate: 'leaf' }] : [];
    case 'CA rotation requested':
      return state.rotate === null ? [{ ...written(state, 'lease'), rotate: 'ca' }] : [];
    case 'Secret deleted':
      return state.secret === null ? [] : [{ ...written(state, 'secret'), secret: null }];
    case 'SECRET-ca deleted':
      return state.ca === null ? [] : [{ ...written(state, 'ca'), ca: null }];
    case 'CA key lost':
      return state.ca?.hasKey === true ? [{ ...written(state, 'ca'), ca: { ...state.ca, hasKey: false } }] : [];
    case 'SECRET-ca restored from an older backup': {
      if (state.ca === null || state.ca.current === 0) return [];
      return [{ ...written(state, 'ca'), ca: { current: 0, hasKey: true, bundle: [0], via: [] } }];
    }
    case 'announcement removed':
      return state.announced === null
        ? []
        : [
            {
              ...written(state, 'lease'),
              announced: null,
              served: 'no',
              targets: state.targets.map((target) => ({ ...target, isExcused: target.refuses })),
            },
          ];
    case 'target refuses writes':
      // A write that a leader has planned and not sent yet fails, and is planned anew.
      return state.targets.flatMap((target, at) =>
        target.refuses
          ? []
          : [
              {
                ...written(state, `target-${at}`),
                targets: set(state.targets, at, { ...target, refuses: true, isExcused: state.announced === null }),
              },
            ],
      );
    case 'issuer renews under the same CA':
    case 'issuer renews under a new CA': {
      if (state.secret === null) return [];
      const ca = kind === 'issuer renews under a new CA' ? nextCa(state) : state.secret.leaf.ca;
      const secret = { leaf: { id: nextLeaf(state), ca, via: [] }, trust: [ca] };
      return [{ ...written(state, 'secret'), secret }];
    }
    case 'replica restarted':
      return state.replicas.flatMap((replica, at) =>
        replica.serves === null ? [] : [{ ...state, replicas: set(state.replicas, at, { ...replica, serves: null }) }],
      );
  }
};

/** Everything that may happen next. */
export const transitions = (state: State, scope: Scope): readonly Transition[] => {
  const passing: readonly Transition[] =
    state.served === 'recent'
      ? [{ label: 'CA_OVERLAP passes', next: { ...written(state, 'lease'), served: 'long' }, isAccident: false }]
      : [];
  const kinds = scope.kinds ?? accidentsOf(scope.issuer);
  const accidents =
    state.accidents >= scope.accidents
      ? []
      : kinds.flatMap((kind) =>
          accident(state, kind).map((next) => ({
            label: kind,
            next: { ...next, accidents: state.accidents + 1 },
            isAccident: true,
          })),
        );
  return [...leaderMoves(state, scope), ...replicaMoves(state), ...passing, ...accidents];
};
