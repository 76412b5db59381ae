import type { Sample } from './sample.ts';
import { growthPerHour, median } from './trend.ts';

export interface Taken {
  readonly atMs: number;
  readonly samples: readonly Sample[];
}

export interface Rest {
  readonly samples: readonly Sample[];
  readonly apiWatches: number;
}

export interface Soaked {
  readonly taken: readonly Taken[];
  readonly baselineMs: number;
  readonly endMs: number;
  readonly before: Rest;
  readonly after: Rest;
  readonly heapsAtBaseline: readonly number[];
  readonly heapsAtEnd: readonly number[];
}

export interface SoakedReplica {
  readonly memoryMiB: { readonly baseline: number; readonly end: number; readonly growthPerHour: number };
  readonly heapMiB: { readonly baseline: number; readonly end: number };
  readonly handles: { readonly before: number; readonly after: number };
  readonly inotifyWatches: { readonly before: number; readonly after: number };
}

export interface SoakVerdict {
  readonly replicas: readonly SoakedReplica[];
  /** Of all replicas together. */
  readonly memoryMiB: { readonly baseline: number; readonly end: number; readonly growthPercent: number };
  readonly apiWatches: { readonly before: number; readonly after: number };
  /** What grew or was left behind, in words; empty when nothing did. */
  readonly leftBehind: readonly string[];
}

const MINUTE_MS = 60_000;
const MOST_GROWTH = 1.05;

const rounded = (value: number): number => Math.round(value * 10) / 10;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * What is left of a soak. Memory counts as grown above 5 % of what it was, in each replica; that of all together is told
 * beside it. Handles and watches are counted over the whole fleet, since those of the leader move with the leadership.
 */
export const soakVerdict = ({ taken, baselineMs, endMs, before, after, ...heaps }: Soaked): SoakVerdict => {
  const windowMs = Math.min(MINUTE_MS, baselineMs / 2);
  const memoryOf = (at: number, toMs: number): number =>
    median(
      taken
        .filter(({ atMs }) => atMs > toMs - windowMs && atMs <= toMs)
        .map(({ samples }) => samples[at]?.memoryMiB ?? 0),
    );
  const replicas = after.samples.map((now, at): SoakedReplica => {
    const since = taken.filter(({ atMs }) => atMs >= baselineMs);
    const readings = since.map(({ atMs, samples }) => ({ atMs, value: samples[at]?.memoryMiB ?? 0 }));
    return {
      memoryMiB: {
        baseline: memoryOf(at, baselineMs),
        end: memoryOf(at, endMs),
        growthPerHour: rounded(growthPerHour(readings)),
      },
      heapMiB: { baseline: heaps.heapsAtBaseline[at] ?? 0, end: heaps.heapsAtEnd[at] ?? 0 },
      handles: { before: before.samples[at]?.handles ?? 0, after: now.handles },
      inotifyWatches: { before: before.samples[at]?.inotifyWatches ?? 0, after: now.inotifyWatches },
    };
  });

  const counted = {
    handles: replicas.map(({ handles }) => handles),
    'inotify watches': replicas.map(({ inotifyWatches }) => inotifyWatches),
    'watches at the API server': [{ before: before.apiWatches, after: after.apiWatches }],
  };
  const [baseline, end] = [
    sum(replicas.map(({ memoryMiB }) => memoryMiB.baseline)),
    sum(replicas.map(({ memoryMiB }) => memoryMiB.end)),
  ];
  const growthPercent = rounded((end / baseline - 1) * 100);
  const leftBehind = [
    ...replicas.flatMap(({ memoryMiB: own }, at) =>
      own.end > own.baseline * MOST_GROWTH
        ? [`memory of replica ${at}: ${rounded(own.baseline)} MiB, then ${rounded(own.end)} MiB`]
        : [],
    ),
    ...Object.entries(counted).flatMap(([what, counts]) => {
      const [then, now] = [sum(counts.map((one) => one.before)), sum(counts.map((one) => one.after))];
      return now > then ? [`${what}: ${then}, then ${now}`] : [];
    }),
  ];
  const memoryMiB = { baseline: rounded(baseline), end: rounded(end), growthPercent };
  return { replicas, memoryMiB, apiWatches: { before: before.apiWatches, after: after.apiWatches }, leftBehind };
};
