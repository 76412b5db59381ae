import { type Id, type State, verifies } from './cluster.ts';
import { leavesIn } from './encoding.ts';
import { type Accident, accidentsOf, type Scope } from './scope.ts';
import { nextCa, noLongerServed, replaced, rewritten, written } from './writes.ts';

const restoredCa = { current: 0, hasKey: true, bundle: [0], via: [] };

/** The clusters that an accident may leave behind: one for each object that it may befall. */
const after = (state: State, kind: Accident, lags: boolean): readonly State[] => {
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
    case 'SECRET-ca restored from an older backup':
      return state.ca === null || state.ca.current === 0 ? [] : [{ ...written(state, 'ca'), ca: restoredCa }];
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
      return state.targets.flatMap((target, at) =>
        target.bundle.length === 0
          ? []
          : [
              {
                ...written(state, at),
                targets: replaced(state.targets, at, rewritten(target, [], { lags, byOthers: true })),
              },
            ],
      );
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
      if (state.secret === null) return [];
      const ca = kind === 'issuer renews under a new CA' ? nextCa(state) : state.secret.leaf.ca;
      const id: Id = (leavesIn(state).at(-1) ?? -1) + 1;
      return [{ ...written(state, 'secret'), secret: { leaf: { id, ca, via: [] }, trust: [ca] } }];
    }
    case 'replica restarted':
      return state.replicas.flatMap((replica, at) =>
        replica.serves === null
          ? []
          : [{ ...state, replicas: replaced(state.replicas, at, { ...replica, serves: null }) }],
      );
  }
};

/** The CAs that a leader can still find: in SECRET-ca, in the Secret that is announced, and in caBundles that nobody else wrote. */
const traces = ({ ca, secret, announced, targets }: State): readonly Id[] => [
  ...(ca?.bundle ?? []),
  ...(secret !== null && secret.leaf.id === announced ? secret.trust : []),
  ...targets.flatMap(({ bundle, isTampered }) => (isTampered ? [] : bundle)),
];

/** With every trace gone of a CA that a replica serves under, or may once its leaf is announced, nothing can be promised: docs/contract.md, section 11. */
const isTraced = (state: State): boolean => {
  const known = traces(state);
  return state.replicas.every(
    ({ serves, mounted }) =>
      (serves === null || verifies(serves, known)) && (mounted === null || verifies(mounted.leaf, known)),
  );
};

/** What the API server still calls with is excused when the last trace of it is gone: no leader can know that it stood. */
const forgotten = (before: State, next: State): State => {
  const [knownBefore, known] = [traces(before), traces(next)];
  const isForgotten = (cas: readonly Id[]): boolean =>
    cas.some((id) => !known.includes(id)) && cas.every((id) => knownBefore.includes(id));
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
      .filter((next) => issuer === 'external' || isTraced(next))
      .map((next) => ({ kind, next: forgotten(state, next) })),
  );
