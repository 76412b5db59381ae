import type { Setting } from '../setting.ts';
import type { WrittenSignal } from '../signal.ts';
import type { StoredTarget } from '../stored-objects.ts';

/** A caBundle target as one API server sees it. */
export interface TargetView {
  readonly target: string;
  /** The number of the API server; null for what is stored, which the leader reads back. */
  readonly server: number | null;
  readonly bundles: StoredTarget['bundles'];
  /** Somebody else's doing, or left behind for a reason that excuses it. */
  readonly isExcused: boolean;
  /** For how long it has been replaced, ms; 0 for what is stored. */
  readonly staleMs: number;
}

interface Superseded {
  readonly value: StoredTarget | null;
  readonly isExcused: boolean;
  readonly untilMs: number;
}

export interface TargetViews {
  /** To be told of each write of a target, with whether the version that it replaces is excused. */
  readonly replaced: (signal: Extract<WrittenSignal, { readonly kind: 'target' }>, isExcused: boolean) => void;
  /** What an outsider's write makes impossible to know. */
  readonly forget: (isForgotten: (cas: readonly string[]) => boolean) => void;
  readonly seen: (isExcused: (target: string) => boolean) => readonly TargetView[];
  /** When some API server sees another version than before, ms of virtual time; null when none will. */
  readonly nextChangeMs: () => number | null;
}

/**
 * Each API server takes up the targets through informers of its own: it calls webhooks by what was stored as long ago as
 * its lag. What is stored is a view too, of a server that lags behind nothing.
 */
export const targetViews = ({ api, scenario, time }: Setting): TargetViews => {
  const histories = new Map<string, Superseded[]>();
  const lagsOf = (name: string): readonly number[] =>
    scenario.apiServerLagsMs.map((lags) => lags[Number(name.slice('target-'.length))] ?? 0);
  const mostMs = Math.max(0, ...scenario.apiServerLagsMs.flat());

  return {
    replaced: ({ name, before }, isExcused) => {
      const nowMs = time.nowMs();
      const kept = (histories.get(name) ?? []).filter(({ untilMs }) => untilMs > nowMs - mostMs);
      histories.set(name, [...kept, { value: before, isExcused, untilMs: nowMs }]);
    },
    forget: (isForgotten) => {
      for (const [name, versions] of histories)
        histories.set(
          name,
          versions.map((version) => {
            const { value, isExcused } = version;
            return isExcused || value === null || !isForgotten(value.bundles.flat())
              ? version
              : { ...version, isExcused: true };
          }),
        );
    },
    seen: (isExcused) => {
      const nowMs = time.nowMs();
      const stored = api.target.list().map(({ name: target, value: { bundles } }) => ({
        target,
        server: null,
        bundles,
        isExcused: isExcused(target),
        staleMs: 0,
      }));
      const late = [...histories].flatMap(([target, versions]) =>
        lagsOf(target).flatMap((lagMs, server): readonly TargetView[] => {
          const version = versions.find(({ untilMs }) => untilMs > nowMs - lagMs);
          if (version === undefined || version.value === null) return [];
          const { value, isExcused, untilMs } = version;
          return [{ target, server, bundles: value.bundles, isExcused, staleMs: nowMs - untilMs }];
        }),
      );
      return [...stored, ...late];
    },
    nextChangeMs: () => {
      const nowMs = time.nowMs();
      const changesMs = [...histories].flatMap(([target, versions]) =>
        versions.flatMap(({ untilMs }) => lagsOf(target).map((lagMs) => untilMs + lagMs)),
      );
      const coming = changesMs.filter((ms) => ms > nowMs);
      return coming.length === 0 ? null : Math.min(...coming);
    },
  };
};
