import { virtualTime } from '../support/virtual-time.ts';
import { clusterModel } from './cluster-model.ts';
import { historyDigest } from './history-digest.ts';
import { injectFaults } from './inject-faults.ts';
import { type Violation, watchLaws } from './laws/watch-laws.ts';
import type { Scenario } from './scenario.ts';
import { timeline } from './timeline.ts';

export interface History {
  /** How many things happened: timers, messages, answers. */
  readonly steps: number;
  readonly virtualMs: number;
  /** From the end of the faults until all was well, ms; null when it never was. */
  readonly recoveredInMs: number | null;
  readonly violation: Violation | null;
  /** An API server that lagged by more than TRUST_SETTLE refused a call, which is excused. */
  readonly isLateRefusal: boolean;
  /** Empty unless it was to be told. */
  readonly lines: readonly string[];
  /** SHA-256 of all that happened; empty unless it was asked for. */
  readonly digest: string;
}

/** Lets one history happen, every law watching every step of it. Same scenario, same history. */
export const runHistory = (scenario: Scenario, { told = false, digested = false } = {}): History =>
  virtualTime((time) => {
    const model = clusterModel(scenario, time);
    const lines = told ? timeline(model) : [];
    const digest = digested ? historyDigest(model) : () => '';
    const laws = watchLaws(model);
    let steps = 0;
    try {
      injectFaults(model);
      for (let at = 0; at < scenario.replicas; at += 1) model.addMachine().start();
      while (!laws.isOver() && time.step(laws.endMs)) {
        steps += 1;
        laws.look();
      }
    } catch (error) {
      laws.broke('no exception', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    const concluded = laws.conclude();
    for (const machine of model.machines()) machine.crash();
    return { steps, virtualMs: time.nowMs(), ...concluded, lines, digest: digest() };
  });
