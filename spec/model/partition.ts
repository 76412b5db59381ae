import { decode, encode } from './encoding.ts';
import { type Breach, breachesInState, isGoal, isWaiting } from './laws.ts';
import { type Scope, startOf } from './scope.ts';
import { transitions } from './transitions.ts';

/** States are numbered across all partitions: the number within its partition, times their count, plus its partition. */
export type StateNumber = number;

/** States that another partition keeps, in columns. */
export interface Discoveries {
  readonly states: string[];
  readonly from: StateNumber[];
  readonly isAccident: boolean[];
}

export interface Finding extends Breach {
  readonly at: StateNumber;
  /** It is not the state that breaks the law, but a plan that a leader makes in it. */
  readonly isPlan: boolean;
}

/** What a partition knows of its part of the graph, once everything is visited. */
export interface Part {
  readonly parents: Int32Array;
  readonly goals: Uint8Array;
  /** Pairs: from, to. Without those that an accident makes. */
  readonly edges: Uint32Array;
}

/** A list of numbers that grows, without an object for each. */
const numbers = () => {
  let kept = new Uint32Array(1 << 12);
  let length = 0;
  return {
    push: (value: number): void => {
      if (length === kept.length) {
        const longer = new Uint32Array(kept.length * 2);
        longer.set(kept);
        kept = longer;
      }
      kept[length] = value;
      length += 1;
    },
    all: (): Uint32Array => kept.slice(0, length),
    at: (index: number): number => kept[index] ?? 0,
    size: (): number => length,
  };
};

/** FNV-1a over the characters: which partition keeps a state. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
};

const discoveries = (): Discoveries => ({ states: [], from: [], isAccident: [] });

/** Keeps the states whose hash is its own, and expands them level by level. */
export const partition = (scope: Scope, own: number, count: number) => {
  const known = new Map<string, number>();
  const parents = numbers();
  const edges = numbers();
  const goals: number[] = [];
  const findings: Finding[] = [];
  let frontier: string[] = [];
  let made = 0;

  /** Of the state at the beginning the parent is itself. */
  const visit = (text: string, from: StateNumber | null, isAccident: boolean): void => {
    const seen = known.get(text);
    const index = seen ?? known.size;
    const at = index * count + own;
    if (from !== null && !isAccident) {
      edges.push(from);
      edges.push(at);
    }
    if (seen !== undefined) return;
    known.set(text, index);
    parents.push(from ?? at);
    frontier.push(text);
    const state = decode(text, scope);
    for (const breach of breachesInState(state, scope)) findings.push({ ...breach, at, isPlan: false });
    if (isGoal(state) || isWaiting(state, scope.issuer)) goals.push(index);
  };

  return {
    begin: (): void => {
      const text = encode(startOf(scope));
      if (hashOf(text) % count === own) visit(text, null, false);
    },
    /** Takes in what others have found, then expands all that is new: what belongs to others, by partition. */
    expand: (found: readonly Discoveries[]): readonly Discoveries[] => {
      for (const { states, from, isAccident } of found)
        states.forEach((text, at) => visit(text, from[at]!, isAccident[at]!));
      const level = frontier;
      frontier = [];
      const others = Array.from({ length: count }, discoveries);
      for (const text of level) {
        const at = known.get(text)! * count + own;
        for (const { next, isAccident, breaches } of transitions(decode(text, scope), scope)) {
          made += 1;
          for (const breach of breaches ?? []) findings.push({ ...breach, at, isPlan: true });
          const successor = encode(next);
          const owner = hashOf(successor) % count;
          if (owner === own) visit(successor, at, isAccident);
          else {
            const to = others[owner]!;
            to.states.push(successor);
            to.from.push(at);
            to.isAccident.push(isAccident);
          }
        }
      }
      return others;
    },
    progress: () => ({ states: known.size, transitions: made, waiting: frontier.length, findings }),
    /** The encodings of some of its states, by their number within it. */
    texts: (indices: readonly number[]): readonly string[] => {
      const all = [...known.keys()];
      return indices.map((index) => all[index]!);
    },
    part: (): Part => {
      const reached = new Uint8Array(known.size);
      for (const goal of goals) reached[goal] = 1;
      return {
        parents: Int32Array.from(parents.all()),
        goals: reached,
        edges: edges.all(),
      };
    },
  };
};

export type Partition = ReturnType<typeof partition>;
