import { Agent } from 'node:https';
import { interval, mergeMap, type Observable, range, type Subscription } from 'rxjs';
import { type Endpoint, sendReview } from './send-review.ts';

interface CallerOptions {
  /** PEM of the live caBundle: the only thing that is trusted. */
  readonly caBundle$: Observable<string>;
  readonly endpoints: () => readonly Endpoint[];
  readonly serverName: string;
  readonly everyMs: number;
  readonly onFailure: (endpoint: Endpoint, reason: string) => void;
}

interface Caller extends Disposable {
  readonly calls: number;
  readonly failed: number;
}

/** As many may wait for an answer at one time; what else is due is sent later. */
const MOST_IN_FLIGHT = 64;

/** What is due after a pause of this machine is caught up with in so many calls a turn. */
const MOST_AT_ONCE = 8;

/**
 * Calls the replicas in turn as the API server would: over TLS, by the Service's name, trusting the live caBundle and
 * nothing else, with kept connections that a change of the bundle makes anew.
 */
export const startCaller = (options: CallerOptions): Caller => {
  const { caBundle$, endpoints, serverName, everyMs, onFailure } = options;
  const counts = { calls: 0, failed: 0, inFlight: 0 };
  let agent: Agent | null = null;
  let turn = 0;

  const calling: Subscription = caBundle$.subscribe((ca) => {
    const before = agent;
    // No call waits for a connection: one that did would dial later, by a bundle that is gone by then.
    agent = ca === '' ? null : new Agent({ ca, keepAlive: true, maxFreeSockets: MOST_IN_FLIGHT });
    // Calls under way may still finish on their connections.
    if (before !== null) setTimeout(() => before.destroy(), 15_000).unref();
  });
  const once = async (): Promise<void> => {
    const ready = endpoints();
    const endpoint = ready[turn++ % ready.length];
    if (endpoint === undefined || agent === null) return;
    const madeMs = performance.now();
    counts.inFlight += 1;
    const reason = await sendReview(endpoint, agent, serverName);
    counts.inFlight -= 1;
    if (calling.closed) return;
    counts.calls += 1;
    if (reason === null) return;
    counts.failed += 1;
    onFailure(endpoint, `${reason}, ${Math.round(performance.now() - madeMs)} ms after it was made`);
  };
  // By the clock, since the timers of a busy machine come late.
  const startMs = performance.now();
  let sent = 0;
  const due = () => {
    const overdue = Math.floor((performance.now() - startMs) / everyMs) - sent;
    const count = Math.min(MOST_AT_ONCE, MOST_IN_FLIGHT - counts.inFlight, overdue);
    sent += Math.max(0, count);
    return range(0, Math.max(0, count));
  };
  calling.add(interval(everyMs).pipe(mergeMap(due), mergeMap(once)).subscribe());

  return {
    get calls() {
      return counts.calls;
    },
    get failed() {
      return counts.failed;
    },
    [Symbol.dispose]: () => {
      calling.unsubscribe();
      agent?.destroy();
    },
  };
};
