import { Observable } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { Host, VirtualTime } from '../support/virtual-time.ts';
import type { Random } from './random.ts';
import { fairWeather, type Weather } from './weather.ts';

/** As src/kube/client.ts: the longest wait for one answer. */
const ANSWER_MS = 10_000;
const REFUSALS = [500, 429, 503, 409];

/** A watch connection that stands. */
export interface Connection {
  readonly machine: string;
  /** The name of the one object that is watched; null for all of a kind. */
  readonly object: string | null;
  readonly isDeaf: () => boolean;
  /** It ends: cleanly, or with a reset. */
  cut(cleanly: boolean): void;
  /** It stays, and nothing comes any more (half-open). */
  deafen(): void;
}

export interface Network {
  readonly connections: Set<Connection>;
  readonly cluster: Host;
  weather(machine: string): Weather;
  latencyMs(machine: string): number;
  /** Until when nothing gets through, ms of virtual time. */
  cutUntilMs(machine: string): number;
  isCut(machine: string): boolean;
  isFair(machine: string): boolean;
  /** Nobody gets through until then. */
  outage(untilMs: number): void;
  /** One request; `arrive` is what the API server does with it, and may throw a Problem. */
  request<T>(from: Host, what: string, arrive: () => T): Observable<T>;
}

/** Messages between machines and the API server: late, lost, or half done. */
export const network = (time: VirtualTime, cluster: Host, random: Random): Network => {
  const weathers = new Map<string, Weather>();
  const weather = (machine: string): Weather => {
    const standing = weathers.get(machine) ?? fairWeather();
    weathers.set(machine, standing);
    return standing;
  };
  let outageUntilMs = 0;
  const cutUntilMs = (machine: string): number => Math.max(outageUntilMs, weather(machine).cutUntilMs);
  const isCut = (machine: string): boolean => time.nowMs() < cutUntilMs(machine);
  const isFair = (machine: string): boolean => {
    const { errors, losses, slowMs } = weather(machine);
    return errors === 0 && losses === 0 && slowMs === fairWeather().slowMs && !isCut(machine);
  };
  const latencyMs = (machine: string): number =>
    1 + Math.floor(random.next() ** 3 * weather(machine).slowMs) + (random.chance(0.01) ? random.int(0, 1_000) : 0);

  const request = <T>(from: Host, what: string, arrive: () => T): Observable<T> =>
    new Observable<T>((subscriber) => {
      const { errors, losses } = weather(from.name);
      let arrived = false;
      const fail = (problem: Problem, delayMs: number): (() => void) =>
        time.after(from, delayMs, () => {
          cancelTimeout();
          subscriber.error(problem);
        });
      let cancelAnswer = (): void => undefined;
      const cancelTimeout = time.after(from, ANSWER_MS, () =>
        subscriber.error(new Problem(`${what}: no answer within 10 s`)),
      );
      const answer = (take: () => void): void => {
        if (isCut(from.name)) return;
        cancelAnswer = time.after(from, latencyMs(from.name), () => {
          cancelTimeout();
          take();
        });
      };
      const take = (): void => {
        arrived = true;
        if (random.chance(errors)) {
          const status = random.pick(REFUSALS);
          answer(() => subscriber.error(new Problem(`${what}: ${status} in a bad hour`, status)));
          return;
        }
        let result: T;
        try {
          result = arrive();
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          answer(() => subscriber.error(error));
          return;
        }
        if (!random.chance(losses)) {
          answer(() => {
            subscriber.next(result);
            subscriber.complete();
          });
        } else if (random.chance(0.5)) cancelAnswer = fail(new Problem(`${what}: connection reset`), 5);
      };

      let cancelArrival = (): void => undefined;
      if (!isCut(from.name)) cancelArrival = time.after(cluster, latencyMs(from.name), take);
      else if (random.chance(0.5)) cancelAnswer = fail(new Problem(`${what}: no route to host`), 5);
      return () => {
        cancelTimeout();
        cancelAnswer();
        // What was sent may take effect although nobody waits for it any more.
        if (!arrived && random.chance(0.5)) cancelArrival();
      };
    });

  return {
    connections: new Set(),
    cluster,
    weather,
    latencyMs,
    cutUntilMs,
    isCut,
    isFair,
    outage: (untilMs) => (outageUntilMs = Math.max(outageUntilMs, untilMs)),
    request,
  };
};
