import { Worker } from 'node:worker_threads';
import { type History, historyOver, type Moment } from './history.ts';
import { type Discoveries, type Finding, type Part, type Partition, partition, type StateNumber } from './partition.ts';
import type { Scope } from './scope.ts';

export interface Violation {
  readonly law: string;
  readonly what: string;
  /** What happened, first to last: a shortest history that leads there. */
  readonly history: readonly Moment[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly violations: readonly Violation[];
  /** How many states there are from which the goal cannot be reached any more. */
  readonly stuck: number;
  /** Shortest histories to the first of those. */
  readonly stuckHistories: readonly (readonly Moment[])[];
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly waiting: number;
  readonly findings: readonly Finding[];
}

/** What is asked of a worker, each answered by one message. */
export type Order =
  { readonly expand: readonly Discoveries[] } | { readonly part: true } | { readonly texts: readonly number[] };
export interface Answer {
  readonly found: readonly Discoveries[];
  readonly progress: Progress;
}

interface Explorer {
  readonly expand: (found: readonly Discoveries[]) => Promise<Answer>;
  readonly part: () => Promise<Part>;
  readonly texts: (indices: readonly number[]) => Promise<readonly string[]>;
  readonly end: () => void;
}

const inThisThread = (scope: Scope): Explorer => {
  const here: Partition = partition(scope, 0, 1);
  here.begin();
  return {
    expand: (found) => Promise.resolve({ found: here.expand(found), progress: here.progress() }),
    part: () => Promise.resolve(here.part()),
    texts: (indices) => Promise.resolve(here.texts(indices)),
    end: () => undefined,
  };
};

const inWorker = (scope: Scope, own: number, count: number): Explorer => {
  const worker = new Worker(new URL('./explore-worker.ts', import.meta.url), {
    workerData: { scope, own, count },
    resourceLimits: { maxOldGenerationSizeMb: 8_192 },
  });
  const ask = <T>(order: Order): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer: T) => {
        worker.off('error', reject);
        resolve(answer);
      });
      worker.postMessage(order);
    });
  return {
    expand: (found) => ask({ expand: found }),
    part: () => ask({ part: true }),
    texts: (indices) => ask({ texts: indices }),
    end: () => void worker.terminate(),
  };
};

/** The states on a shortest way to one, from the beginning. */
const pathTo = (parts: readonly Part[], state: StateNumber): readonly StateNumber[] => {
  const path = [state];
  for (let at = state; ;) {
    const parent = parts[at % parts.length]!.parents[Math.floor(at / parts.length)]!;
    if (parent === at) return path.reverse();
    path.push(parent);
    at = parent;
  }
};

/** The states from which no goal can be reached without another accident. */
const stuckIn = (parts: readonly Part[]): readonly StateNumber[] => {
  const count = parts.length;
  const numberOf = Math.max(...parts.map(({ goals }) => goals.length)) * count;
  /** Where the edges that lead to a state begin, in `sources`. */
  const starts = new Uint32Array(numberOf + 1);
  for (const { edges } of parts) for (let at = 1; at < edges.length; at += 2) starts[edges[at]! + 1]! += 1;
  for (let at = 0; at < numberOf; at += 1) starts[at + 1]! += starts[at]!;
  const sources = new Uint32Array(starts[numberOf]!);
  const filled = starts.slice();
  for (const { edges } of parts)
    for (let at = 1; at < edges.length; at += 2) {
      const to = edges[at]!;
      sources[filled[to]!] = edges[at - 1]!;
      filled[to]! += 1;
    }
  const reaches = new Uint8Array(numberOf);
  const queue: StateNumber[] = [];
  parts.forEach(({ goals }, own) =>
    goals.forEach((isGoal, index) => {
      if (isGoal === 0) return;
      reaches[index * count + own] = 1;
      queue.push(index * count + own);
    }),
  );
  for (let next = queue.pop(); next !== undefined; next = queue.pop())
    for (let at = starts[next]!; at < starts[next + 1]!; at += 1) {
      const source = sources[at]!;
      if (reaches[source] === 1) continue;
      reaches[source] = 1;
      queue.push(source);
    }
  return parts.flatMap(({ goals }, own) =>
    Array.from(goals.keys(), (index) => index * count + own).filter((state) => reaches[state] === 0),
  );
};

/**
 * Visits every state within the scope, breadth first, so that the history to each is a shortest one. Checks the laws in each
 * state and of each plan, and on the whole graph that the goal can be reached from everywhere without another accident.
 *
 * @param workers how many threads share the states; a planted planner runs in this one
 */
export const explore = async (scope: Scope, { mostStates = 20_000_000, workers = 1 } = {}): Promise<Exploration> => {
  const explorers =
    workers === 1 ? [inThisThread(scope)] : Array.from({ length: workers }, (_, own) => inWorker(scope, own, workers));
  try {
    let found: readonly (readonly Discoveries[])[] = explorers.map(() => []);
    for (;;) {
      const answers = await Promise.all(explorers.map(({ expand }, own) => expand(found[own]!)));
      const total = (key: 'states' | 'transitions' | 'waiting'): number =>
        answers.reduce((sum, { progress }) => sum + progress[key], 0);
      const findings = answers.flatMap(({ progress }) => progress.findings);
      found = explorers.map((_, own) => answers.map((answer) => answer.found[own]!));
      const isOver = total('waiting') === 0 && found.every((lists) => lists.every(({ states }) => states.length === 0));
      if (total('states') > mostStates) throw new Error(`more than ${mostStates} states: choose a smaller scope`);
      if (findings.length === 0 && !isOver) continue;
      const parts = await Promise.all(explorers.map(({ part }) => part()));
      const stuck = findings.length > 0 ? [] : stuckIn(parts);
      const historyTo = async (state: StateNumber, end: Parameters<typeof historyOver>[2]): Promise<History> => {
        const path = pathTo(parts, state);
        const known = await Promise.all(
          explorers.map((explorer, own) =>
            explorer.texts(path.filter((at) => at % parts.length === own).map((at) => Math.floor(at / parts.length))),
          ),
        );
        const next = known.map((texts) => texts.values());
        return historyOver(
          path.flatMap((at) => next[at % parts.length]!.next().value ?? []),
          scope,
          end,
        );
      };
      const violations: Violation[] = [];
      for (const { law, what, at, isPlan } of findings) {
        const { moments, breach } = await historyTo(at, { breach: what, isPlan });
        violations.push({ law, what: breach ?? what, history: moments });
      }
      const stuckHistories: (readonly Moment[])[] = [];
      for (const state of stuck.slice(0, 3))
        stuckHistories.push((await historyTo(state, { breach: null, isPlan: false })).moments);
      return {
        states: total('states'),
        transitions: total('transitions'),
        violations,
        stuck: stuck.length,
        stuckHistories,
      };
    }
  } finally {
    for (const { end } of explorers) end();
  }
};
