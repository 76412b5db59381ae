/* eslint-disable rxjs-x/no-internal -- TestScheduler replaces the same providers, but knows no hosts and sorts its whole
   queue at each timer. */
import { dateTimestampProvider } from 'rxjs/internal/scheduler/dateTimestampProvider';
import { intervalProvider } from 'rxjs/internal/scheduler/intervalProvider';
import { timeoutProvider } from 'rxjs/internal/scheduler/timeoutProvider';
import { type Timer, timerHeap } from './timer-heap.ts';

/** Whoever's timers these are: a process can be stopped, continued and killed. */
export interface Host {
  readonly name: string;
}

export interface VirtualTime {
  /** Ms since the beginning. */
  nowMs(): number;
  /** Runs the work as that host; what it starts belongs to the host. */
  as<T>(host: Host, work: () => T): T;
  /** Cancelled by calling the result. */
  after(host: Host, delayMs: number, work: () => void): () => void;
  /** As SIGSTOP: what falls due is kept back. */
  pause(host: Host): void;
  /** As SIGCONT: everything kept back happens at once, in the order given or the one in which it fell due. */
  resume(host: Host, order?: (due: Timer[]) => Timer[]): void;
  /** As SIGKILL: nothing of it happens any more. */
  end(host: Host): void;
  /** Runs the next thing that is due by then; false when there is none. */
  step(untilMs: number): boolean;
}

/**
 * Virtual time with hosts, under rxjs' own timers: `timer`, `interval`, `timeout` and all that use them fire here for as
 * long as the body runs, at once and in one order. What throws in a timer, or on no subscriber's error channel, is
 * thrown by `step`.
 */
export const virtualTime = <R>(body: (time: VirtualTime) => R): R => {
  const heap = timerHeap();
  const pausedTimers = new Map<Host, Timer[]>();
  const ended = new Set<Host>();
  let current: Host = { name: 'outside' };
  let nowMs = 0;

  const as = <T>(host: Host, work: () => T): T => {
    const before = current;
    current = host;
    try {
      return work();
    } finally {
      current = before;
    }
  };
  const add = (host: Host, delayMs: number, periodMs: number | null, work: () => void): Timer =>
    heap.push({ atMs: nowMs + Math.max(0, delayMs), host, periodMs, work });
  const fire = (timer: Timer): void => {
    if (timer.cancelled || ended.has(timer.host)) return;
    if (timer.periodMs === null) timer.cancelled = true;
    as(timer.host, timer.work);
    // As in Node, an interval counts again from when it fired, so that what a pause swallowed is not made up for.
    if (timer.periodMs !== null && !timer.cancelled) heap.again(timer, nowMs + timer.periodMs);
  };

  const time: VirtualTime = {
    nowMs: () => nowMs,
    as,
    after: (host, delayMs, work) => {
      const timer = add(host, delayMs, null, work);
      return () => (timer.cancelled = true);
    },
    pause: (host) => {
      if (!pausedTimers.has(host)) pausedTimers.set(host, []);
    },
    resume: (host, order = (due) => due) => {
      const due = pausedTimers.get(host) ?? [];
      pausedTimers.delete(host);
      for (const timer of order(due)) fire(timer);
    },
    end: (host) => {
      ended.add(host);
      pausedTimers.delete(host);
    },
    step: (untilMs) => {
      for (;;) {
        const timer = heap.pop(untilMs);
        if (timer === null) return false;
        if (timer.cancelled || ended.has(timer.host)) continue;
        nowMs = timer.atMs;
        const keptBack = pausedTimers.get(timer.host);
        if (keptBack === undefined) {
          fire(timer);
          return true;
        }
        keptBack.push(timer);
      }
    },
  };

  const setTimer = (repeats: boolean) => (work: (...args: never[]) => void, delayMs?: number) =>
    add(current, delayMs ?? 0, repeats ? Math.max(1, delayMs ?? 0) : null, work) as never;
  const clearTimer = (timer: unknown) => {
    if (timer) (timer as Timer).cancelled = true;
  };
  intervalProvider.delegate = { setInterval: setTimer(true), clearInterval: clearTimer };
  timeoutProvider.delegate = { setTimeout: setTimer(false), clearTimeout: clearTimer };
  dateTimestampProvider.delegate = { now: () => nowMs };
  try {
    return body(time);
  } finally {
    intervalProvider.delegate = timeoutProvider.delegate = dateTimestampProvider.delegate = undefined;
  }
};
