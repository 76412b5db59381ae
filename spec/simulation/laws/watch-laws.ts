import type { ClusterModel } from '../cluster-model.ts';
import type { History } from '../run-history.ts';
import { allLaws } from './all-laws.ts';
import { converged } from './converged.ts';
import { convergenceBoundMs } from './convergence-bound-ms.ts';

export interface Violation {
  readonly law: string;
  readonly what: string;
  readonly atMs: number;
}

export interface LawWatch {
  /** When all must be well at the latest, ms of virtual time. */
  readonly endMs: number;
  /** After every step. */
  look(): void;
  broke(law: string, what: string): void;
  /** A law is broken, or all is well and stays so. */
  isOver(): boolean;
  conclude(): Pick<History, 'violation' | 'recoveredInMs' | 'isLateRefusal'>;
}

/** All must stay well for so long before it counts, ms. */
const STEADY_MS = 5_000;

/** Holds every law against everything that happens, and keeps the first that is broken. */
export const watchLaws = (model: ClusterModel): LawWatch => {
  const { scenario, time } = model;
  const laws = allLaws.map((law) => law(model));
  const endMs = scenario.calmAtMs + convergenceBoundMs(scenario);
  let violation: Violation | null = null;
  let changed = true;
  let lacking: string | null = 'nothing happened';
  let wellSinceMs: number | null = null;

  const broke = (law: string, what: string): void => {
    violation ??= { law, what, atMs: time.nowMs() };
  };
  model.listen((signal) => {
    changed ||= signal.type === 'written' || signal.type === 'served' || signal.type === 'event';
    for (const { name, hear } of laws) {
      const what = hear?.(signal) ?? null;
      if (what !== null) broke(name, what);
    }
  });
  const lookForCalm = (): void => {
    if (time.nowMs() < scenario.calmAtMs || !changed) return;
    changed = false;
    lacking = converged(model);
    wellSinceMs = lacking === null ? (wellSinceMs ?? time.nowMs()) : null;
  };

  return {
    endMs,
    broke,
    look: () => {
      for (const { name, look } of laws) {
        const what = look?.() ?? null;
        if (what !== null) broke(name, what);
      }
      lookForCalm();
    },
    isOver: () => violation !== null || (wellSinceMs !== null && time.nowMs() >= wellSinceMs + STEADY_MS),
    conclude: () => {
      // L9: all that does not depend on an object that cannot be written converges as if it could.
      const law = model.api.refusing.size > 0 ? 'L9' : 'convergence';
      if (wellSinceMs === null) broke(law, `not within ${endMs - scenario.calmAtMs} ms: ${lacking ?? ''}`);
      return {
        violation,
        recoveredInMs: wellSinceMs === null ? null : wellSinceMs - scenario.calmAtMs,
        isLateRefusal: laws.some(({ isLateRefusal }) => isLateRefusal?.() === true),
      };
    },
  };
};
