import { filter, firstValueFrom, startWith, Subject, timeout } from 'rxjs';
import type { Endpoint } from './send-review.ts';
import type { DemoReplica, LogLine } from './start-replica.ts';

/** The state of all replicas, according to their logs. */
export interface Fleet extends Disposable {
  readonly endpoints: () => readonly Endpoint[];
  /** The hash that every replica serves; null while they differ. */
  servedByAll(): string | null;
  /** Time from the first sight of a certificate to serving it, ms, one for each load. */
  readonly adoptionsMs: readonly number[];
  /** Resolves when the condition holds, which is evaluated after every log line. Rejects at the timeout. */
  until(condition: () => boolean, withinMs: number): Promise<unknown>;
  readonly narrowed: number;
}

/** Follows the logs of the replicas, and passes each line on to `tell`. */
export const followFleet = (replicas: readonly DemoReplica[], tell: (who: string, line: LogLine) => void): Fleet => {
  const ready = new Map<string, Endpoint>();
  const served = new Map<string, string>();
  const adoptionsMs: number[] = [];
  const line$ = new Subject<LogLine>();
  let narrowed = 0;

  const note = ({ name, webhookPort }: DemoReplica, line: LogLine): void => {
    if (line['event'] === 'ready') ready.set(name, { name, port: webhookPort });
    if (line['event'] === 'not-ready') ready.delete(name);
    if (line['event'] === 'ca-bundle-pruned') narrowed += 1;
    if (line['event'] === 'certificate-loaded') {
      served.set(name, String(line['hash']));
      adoptionsMs.push(Number(line['elapsedMs']));
    }
    tell(name, line);
    line$.next(line);
  };
  const subscriptions = replicas.map((replica) => replica.line$.subscribe((line) => note(replica, line)));

  return {
    endpoints: () => [...ready.values()],
    servedByAll: () => {
      const [first = null, ...others] = replicas.map(({ name }) => served.get(name) ?? null);
      return others.every((hash) => hash === first) ? first : null;
    },
    adoptionsMs,
    get narrowed() {
      return narrowed;
    },
    until: (condition, withinMs) => firstValueFrom(line$.pipe(startWith(null), filter(condition), timeout(withinMs))),
    [Symbol.dispose]: () => subscriptions.forEach((subscription) => subscription.unsubscribe()),
  };
};
