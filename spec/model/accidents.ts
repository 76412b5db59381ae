import { issuers } from '../../streams/issuers.ts';
import { type Id, type Leaf, type Pair, type Planned, type State, verifies } from './cluster.ts';
import { leavesIn } from './encoding.ts';
import { afterCaDue, afterCaExpiry, afterLeafDue, afterLeafExpiry } from './expiry.ts';
import { type Accident, accidentsOf, type Scope } from './scope.ts';
import { nextCa, noLongerServed, replaced, rewritten, unsettled, written } from './writes.ts';

const restoredCa = { current: 0, hasKey: true, bundle: [0], via: [] };

/** What the Secret held earlier and a backup may hold still: what some kubelet has not replaced yet, each once. */
const olderPairs = ({ secret, replicas }: State): readonly Pair[] => {
  const current = JSON.stringify(secret);
  const pairs = new Map(
    replicas.flatMap(({ mounted }) => (mounted === null ? [] : [[JSON.stringify(mounted), mounted]])),
  );
  return [...pairs].flatMap(([text, pair]) => (text === current ? [] : [pair]));
};

/** The clusters that an accident may leave behind: one for each object that it may befall. */
const after = (state: State, kind: Accident, lags: boolean): readonly State[] => {
  switch (kind) {
    case 'leaf rotation requested':
      return state.rotate === null ? [{ ...written(state, 'lease'), rotate: 'leaf' }] : [];
    case 'CA rotation requested':
      return state.rotate === null ? [{ ...written(state, 'lease'), rotate: 'ca' }] : [];
    case 'Secret deleted':
      return state.secret === null
        ? []
        : [{ ...written(state, 'secret'), secret: null, due: { ...state.due, leaf: false } }];
    case 'Secret restored from an older backup':
      return olderPairs(state).map((secret) => ({
        ...written(state, 'secret'),
        secret,
        due: { ...state.due, leaf: false },
      }));
    case 'SECRET-ca deleted':
      return state.ca === null ? [] : [{ ...written(state, 'ca'), ca: null, due: { ...state.due, ca: false } }];
    case 'CA key lost':
      return state.ca?.hasKey === true
        ? [{ ...written(state, 'ca'), ca: { ...state.ca, hasKey: false }, due: { ...state.due, ca: false } }]
        : [];
    case 'SECRET-ca restored from an older backup':
      return state.ca === null || state.ca.current === 0
        ? []
        : [{ ...written(state, 'ca'), ca: restoredCa, due: { ...state.due, ca: false } }];
    case 'announcement removed':
      return state.announced === null
        ? []
        : [
            {
              ...noLongerServed(written(state, 'lease')),
              announced: null,
              targets: state.targets.map((target) => ({ ...target, isExcused: target.refuses, dueAtOverlap: 0 })),
            },
          ];
    case 'caBundle emptied':
      return state.targets.flatMap((target, at) => {
        const emptied = rewritten(target, [], { lags, byOthers: true });
        const next = { ...written(state, at), targets: replaced(state.targets, at, emptied) };
        return target.bundle.length === 0 ? [] : [unsettled(next, target)];
      });
    case 'target refuses writes':
      // A write that a leader has planned and not sent yet fails, and is planned anew.
      return state.targets.flatMap((target, at) =>
        target.refuses
          ? []
          : [
              {
                ...written(state, at),
                targets: replaced(state.targets, at, { ...target, refuses: true, isExcused: state.announced === null }),
              },
            ],
      );
    case 'issuer renews under the same CA':
    case 'issuer renews under a new CA': {
      const object = state.source === null ? 'secret' : 'source';
      const before = state[object];
      if (before === null) return [];
      const ca = kind === 'issuer renews under a new CA' ? nextCa(state) : before.leaf.ca;
      // An expired CA signs nothing.
      if (state.expired.cas.includes(ca)) return [];
      const id: Id = (leavesIn(state).at(-1) ?? -1) + 1;
      return [{ ...written(state, object), [object]: { leaf: { id, ca, via: [] }, trust: [ca] } }];
    }
    case 'leaf comes due':
      return afterLeafDue(state);
    case 'leaf expires':
      return afterLeafExpiry(state);
    case 'CA comes due':
      return afterCaDue(state);
    case 'CA expires':
      return afterCaExpiry(state);
    case 'replica restarted':
      return state.replicas.flatMap((replica, at) =>
        replica.serves === null
          ? []
          : [{ ...state, replicas: replaced(state.replicas, at, { ...replica, serves: null }) }],
      );
  }
};

const isOnItsWay = (planned: Planned | null, { leaf }: Pair): boolean =>
  planned?.leaf != null || (planned?.step.kind === 'announce' && planned.step.id !== leaf.id);

/**
 * The CAs that a leader can still find: in SECRET-ca, in the Secret that is announced (the one that signed its leaf), and in
 * caBundles that nobody else wrote.
 * A Secret whose next leaf is on its way, or the announcement of another one, is about to be none that is announced.
 */
const traces = ({ ca, secret, source, announced, targets, leaders }: State): readonly Id[] => [
  ...(ca?.bundle ?? []),
  ...(source?.trust ?? []),
  ...(secret !== null && secret.leaf.id === announced && !leaders.some((planned) => isOnItsWay(planned, secret))
    ? [secret.leaf.ca]
    : []),
  ...targets.flatMap(({ bundle, isTampered }) => (isTampered ? [] : bundle)),
];

/** With every trace gone of a CA that a replica serves under, or may once its leaf is announced, nothing can be promised: docs/contract.md, section 11. */
const isTraced = (state: State): boolean => {
  const known = traces(state);
  const isKnown = (leaf: Leaf | undefined | null): boolean =>
    leaf == null || state.expired.leaves.includes(leaf.id) || verifies(leaf, known, state.expired);
  // A kubelet may still mount what is announced.
  const announced = state.secret?.leaf.id === state.announced ? state.secret.leaf : null;
  return isKnown(announced) && state.replicas.every(({ serves, mounted }) => isKnown(serves) && isKnown(mounted?.leaf));
};

/** What the API server still calls with is excused when the last trace of it is gone: no leader can know that it stood. */
const forgotten = (before: State, next: State): State => {
  const [knownBefore, known] = [traces(before), traces(next)];
  const isForgotten = (bundle: readonly Id[]): boolean => {
    // What has expired accepts nothing, so that nobody needs to know of it.
    const cas = bundle.filter((id) => !before.expired.cas.includes(id));
    return cas.some((id) => !known.includes(id)) && cas.every((id) => knownBefore.includes(id));
  };
  return {
    ...next,
    targets: next.targets.map((target) => ({
      ...target,
      behind: target.behind.map((version) => ({
        ...version,
        isExcused: version.isExcused || isForgotten(version.bundle),
      })),
    })),
  };
};

/** What may happen from outside. */
export const accidents = (
  state: State,
  { issuer, apiServers, kinds = accidentsOf(issuer) }: Scope,
): readonly { readonly kind: Accident; readonly next: State }[] =>
  kinds.flatMap((kind) =>
    after(state, kind, apiServers > 1)
      .filter((next) => !issuers[issuer].writesSecret || isTraced(next))
      .map((next) => ({ kind, next: forgotten(state, next) })),
  );
