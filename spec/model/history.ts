import type { Id, Ids, Leaf, State } from './cluster.ts';
import { casIn, decode, encode, leavesIn } from './encoding.ts';
import type { Scope } from './scope.ts';
import { transitions } from './transitions.ts';

/** One thing that happened, and what each object is then, in the order of {@link TITLES}. */
export interface Moment {
  readonly what: string;
  readonly objects: readonly string[];
}

/** A shortest history, and what is wrong after it. */
export interface History {
  readonly moments: readonly Moment[];
  readonly breach: string | null;
}

const TITLES = ['', 'what happens', 'SECRET-ca', 'SECRET', 'announced', 'caBundles', 'served'];

/** How certificates are called throughout a history: each state numbers the ones that it still mentions anew. */
interface Names {
  readonly ca: (id: Id) => Id;
  readonly leaf: (id: Id) => Id;
}

/** Of one kind of certificate: the numbers of those in a state, and the number that the next one gets. */
interface Numbers {
  readonly names: Ids;
  readonly next: Id;
}

const nameIn =
  ({ names, next }: Numbers) =>
  (id: Id): Id =>
    names[id] ?? next;

const numbersAfter = (numbers: Numbers, ids: Ids): Numbers => {
  const names = ids.map(nameIn(numbers));
  return { names, next: names.includes(numbers.next) ? numbers.next + 1 : numbers.next };
};

const objectsIn = (state: State, { ca, leaf }: Names): readonly string[] => {
  const setOf = (ids: Ids): string => `[${ids.map(ca).join(' ')}]`;
  const leafOf = (one: Leaf): string => `leaf ${leaf(one.id)} of ${[one.ca, ...one.via].map(ca).join('<')}`;
  return [
    state.ca === null ? '-' : `${state.ca.hasKey ? ca(state.ca.current) : 'no key'} ${setOf(state.ca.bundle)}`,
    state.secret === null ? '-' : `${leafOf(state.secret.leaf)} ${setOf(state.secret.trust)}`,
    state.announced === null ? '-' : `leaf ${leaf(state.announced)}`,
    state.targets
      .map(({ bundle, behind: [seen] }) => `${setOf(bundle)}${seen === undefined ? '' : ` was ${setOf(seen.bundle)}`}`)
      .join(', '),
    state.replicas.map(({ serves }) => (serves === null ? '-' : leafOf(serves))).join(', '),
  ];
};

/** The numbers in a text of a state, as the history calls them. */
const renamed = (text: string, { ca, leaf }: Names): string =>
  text
    .replaceAll(/(?<=leaf )\d+/g, (id) => String(leaf(Number(id))))
    .replaceAll(/(?<=CA )\d+/g, (id) => String(ca(Number(id))))
    .replaceAll(/(?<=\[)[\d ]+(?=\])/g, (ids) => ids.split(' ').map(Number).map(ca).join(' '));

/**
 * What happened on the way over these states, by their encodings, from the beginning on.
 *
 * @param breach what is wrong with the last state, or with a plan that is made in it; null when the goal is out of reach
 * @param isPlan it is a plan
 */
export const historyOver = (
  [first = '', ...texts]: readonly string[],
  scope: Scope,
  { breach, isPlan }: { readonly breach: string | null; readonly isPlan: boolean },
): History => {
  const moments: Moment[] = [];
  let state = decode(first, scope);
  let cas: Numbers = { names: casIn(state), next: casIn(state).length };
  let leaves: Numbers = { names: leavesIn(state), next: leavesIn(state).length };
  const names: Names = { ca: (id) => nameIn(cas)(id), leaf: (id) => nameIn(leaves)(id) };
  for (const text of texts) {
    const taken = transitions(state, scope).find(({ next }) => encode(next) === text);
    if (taken === undefined) throw new Error('a state does not follow from the one before it');
    moments.push({ what: renamed(taken.label, names), objects: objectsIn(taken.next, names) });
    cas = numbersAfter(cas, casIn(taken.next));
    leaves = numbersAfter(leaves, leavesIn(taken.next));
    state = decode(text, scope);
  }
  const plan = isPlan
    ? transitions(state, scope).find(({ breaches = [] }) => breaches.some(({ what }) => what === breach))
    : undefined;
  if (plan !== undefined) moments.push({ what: renamed(plan.label, names), objects: objectsIn(plan.next, names) });
  return { moments, breach: breach === null ? null : renamed(breach, names) };
};

/** A history as a table: what happened, and each object that it changed. */
export const asTable = (moments: readonly Moment[]): string => {
  const rows = moments.map(({ what, objects }, at): readonly string[] => {
    const before = moments[at - 1]?.objects;
    return [String(at + 1), what, ...objects.map((object, column) => (object === before?.[column] ? '' : object))];
  });
  const table = [TITLES, ...rows];
  const widths = TITLES.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((text, at) => text.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
