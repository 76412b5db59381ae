import type { Host } from './virtual-time.ts';

export interface Timer {
  atMs: number;
  order: number;
  cancelled: boolean;
  readonly host: Host;
  /** Null when it fires once. */
  readonly periodMs: number | null;
  readonly work: () => void;
}

export interface TimerHeap {
  push(timer: Omit<Timer, 'order' | 'cancelled'>): Timer;
  again(timer: Timer, atMs: number): void;
  /** The earliest, if it is due by then; of two at one time the one that was set first. */
  pop(untilMs: number): Timer | null;
}

const before = (left: Timer, right: Timer): boolean =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);

/** A binary heap of timers. */
export const timerHeap = (): TimerHeap => {
  const heap: Timer[] = [];
  let orders = 0;

  const insert = (timer: Timer): void => {
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  };

  const sink = (timer: Timer): void => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, timer)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = timer;
  };

  return {
    push: (fields) => {
      const timer: Timer = { ...fields, order: orders++, cancelled: false };
      insert(timer);
      return timer;
    },
    again: (timer, atMs) => {
      timer.atMs = atMs;
      timer.order = orders++;
      insert(timer);
    },
    pop: (untilMs) => {
      const first = heap[0];
      if (first === undefined || first.atMs > untilMs) return null;
      const last = heap.pop()!;
      if (heap.length > 0) sink(last);
      return first;
    },
  };
};
