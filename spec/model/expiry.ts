import type { Id, Ids, Leaf, State } from './cluster.ts';
import { casIn, leavesIn } from './encoding.ts';

/** Every leaf of which more than its number is known. */
const leavesOf = ({ secret, source, replicas, leaders }: State): readonly Leaf[] =>
  [
    secret?.leaf,
    source?.leaf,
    ...replicas.flatMap(({ mounted, serves }) => [mounted?.leaf, serves]),
    ...leaders.map((planned) => planned?.leaf),
  ].filter((leaf) => leaf !== null && leaf !== undefined);

const leavesExpired = (state: State, ids: Ids): State => ({
  ...state,
  expired: { ...state.expired, leaves: [...state.expired.leaves, ...ids] },
});

/** What was issued earlier expires earlier. */
const upTo = (ids: Ids, last: Id): Ids => ids.filter((id) => id <= last);

/** The clusters in which one more of the leaves in use has expired. */
export const afterLeafExpiry = (state: State): readonly State[] => {
  const { secret, source, announced, replicas, expired } = state;
  const inUse = [
    secret?.leaf.id,
    source?.leaf.id,
    announced,
    ...replicas.flatMap(({ mounted, serves }) => [mounted?.leaf.id, serves?.id]),
  ];
  return leavesIn(state)
    .filter((id) => inUse.includes(id) && !expired.leaves.includes(id))
    .map((id) => leavesExpired(state, upTo(leavesIn(state), id)));
};

const caExpired = (state: State, id: Id): State => {
  const cas = upTo(casIn(state), id);
  const known = leavesOf(state);
  const { announced } = state;
  const orphan = announced !== null && !known.some((leaf) => leaf.id === announced) ? [announced] : [];
  const ended = known.filter(({ ca }) => cas.includes(ca)).map((leaf) => leaf.id);
  return {
    ...state,
    expired: { cas, leaves: [...state.expired.leaves, ...ended, ...orphan] },
    // An expired CA signs nothing any more.
    leaders: state.leaders.map((planned) =>
      planned?.step.kind === 'issue-leaf' && !planned.isChecked && state.ca !== null && cas.includes(state.ca.current)
        ? null
        : planned,
    ),
    // An API server that lags still calls by way of it, for less than TRUST_SETTLE: docs/contract.md, section 11.
    targets: state.targets.map((target) => ({
      ...target,
      behind: target.behind.map(({ bundle, isExcused }) => ({
        bundle,
        isExcused: isExcused || bundle.some((ca) => cas.includes(ca)),
      })),
    })),
  };
};

/** The clusters in which one more CA has expired, and with it all of its leaves (L5). */
export const afterCaExpiry = (state: State): readonly State[] =>
  casIn(state)
    .filter((id) => !state.expired.cas.includes(id))
    .map((id) => caExpired(state, id));

export const afterLeafDue = (state: State): readonly State[] =>
  state.secret === null || state.due.leaf || state.expired.leaves.includes(state.secret.leaf.id)
    ? []
    : [{ ...state, due: { ...state.due, leaf: true } }];

export const afterCaDue = (state: State): readonly State[] =>
  state.ca?.hasKey !== true || state.due.ca || state.expired.cas.includes(state.ca.current)
    ? []
    : [{ ...state, due: { ...state.due, ca: true } }];
