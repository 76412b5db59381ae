import { Agent } from 'node:https';
import { interval, mergeMap, type Observable, range, type Subscription } from 'rxjs';
import { anyQuestion, type Endpoint, type Question, sendReview } from './send-review.ts';

interface CallerOptions {
  /** PEM of the current caBundle, the only trust anchor. */
  readonly caBundle$: Observable<string>;
  readonly endpoints: () => readonly Endpoint[];
  readonly serverName: string;
  readonly everyMs: number;
  /** Default: whether a ConfigMap may be created, which must be allowed. */
  readonly question?: Question;
  readonly onFailure: (endpoint: Endpoint, reason: string) => void;
}

interface Caller extends Disposable {
  readonly calls: number;
  readonly failed: number;
}

/** Limit of concurrent calls; further calls are sent later. */
const MAX_IN_FLIGHT = 64;

/** Limit of calls per timer tick while catching up after a pause of the machine. */
const MAX_PER_TICK = 8;

/**
 * Calls the replicas in turn as the API server does: over TLS, by the Service's name, trusting the current caBundle only.
 * Connections are kept alive, and reopened when the caBundle changes.
 */
export const startCaller = (options: CallerOptions): Caller => {
  const { caBundle$, endpoints, serverName, everyMs, question = anyQuestion, onFailure } = options;
  const counts = { calls: 0, failed: 0, inFlight: 0 };
  let agent: Agent | null = null;
  let turn = 0;

  const calling: Subscription = caBundle$.subscribe((ca) => {
    const before = agent;
    // The agent does not queue calls: a queued call would connect later, with an outdated bundle.
    agent = ca === '' ? null : new Agent({ ca, keepAlive: true, maxFreeSockets: MAX_IN_FLIGHT });
    // Open calls may still finish on their connections.
    if (before !== null) setTimeout(() => before.destroy(), 15_000).unref();
  });
  const once = async (): Promise<void> => {
    const ready = endpoints();
    const endpoint = ready[turn++ % ready.length];
    if (endpoint === undefined || agent === null) return;
    const startedMs = performance.now();
    counts.inFlight += 1;
    const reason = await sendReview(endpoint, agent, serverName, question);
    counts.inFlight -= 1;
    if (calling.closed) return;
    counts.calls += 1;
    if (reason === null) return;
    counts.failed += 1;
    onFailure(endpoint, `${reason}, after ${Math.round(performance.now() - startedMs)} ms`);
  };
  // Computed from the clock, since timers fire late on a busy machine.
  const startMs = performance.now();
  let sent = 0;
  const due = () => {
    const overdue = Math.floor((performance.now() - startMs) / everyMs) - sent;
    const count = Math.min(MAX_PER_TICK, MAX_IN_FLIGHT - counts.inFlight, overdue);
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
