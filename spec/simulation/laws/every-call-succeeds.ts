import { chainProblem } from '../chain-problem.ts';
import { excuses } from './excuses.ts';
import type { LawOf } from './law.ts';

/** How often validity is looked at again when nothing happens, ms. */
const AGAIN_MS = 30_000;

/**
 * L2: every certificate that a replica serves calls with verifies against every caBundle. Not looked at is what an
 * outsider has just broken, and a certificate that is out of its own time by some clock.
 */
export const everyCallSucceeds: LawOf = (model) => {
  const { api, clocks, machines, pki, scenario, time } = model;
  const { note, isTampered, isExcused, isForeign } = excuses(model);
  /** Targets that refused to be widened until the certificate that they trust had expired. */
  const leftBehind = new Set<string>();
  let dirty = true;
  let lookedAtMs = 0;

  return {
    name: 'L2',
    hear: (signal) => {
      if (
        signal.type === 'served' ||
        signal.type === 'neighbour/loaded' ||
        signal.type === 'machine' ||
        signal.type === 'written'
      )
        dirty = true;
      if (signal.type === 'written' && signal.kind === 'target') leftBehind.delete(signal.name);
      if (signal.type === 'written' && signal.kind === 'lease' && signal.after?.announcement != null) {
        const { announcement: before = null } = signal.before ?? {};
        const isOver = before !== null && Date.parse(before.validUntil) <= clocks.trueMs() + scenario.mostSkewMs;
        if (isOver && before.hash !== signal.after.announcement.hash)
          for (const name of api.refusing) leftBehind.add(name);
      }
      note(signal);
      return null;
    },
    look: () => {
      const nowMs = clocks.trueMs();
      // A Secret that is missing is written for new Pods whatever refuses, and only the announcement waits.
      if (scenario.neighbours !== null) for (const name of api.refusing) leftBehind.add(name);
      if (!dirty && time.nowMs() - lookedAtMs < AGAIN_MS) return null;
      dirty = false;
      lookedAtMs = time.nowMs();
      for (const machine of machines()) {
        const served = machine.served();
        if (served === null || isExcused(served.pair.hash)) continue;
        // What another writer puts into the Secret, a server that reads it by itself shows; and what it brings along.
        if (machine.neighbour !== null && (machine.neighbour.isAstray() || isForeign(served.pair.hash))) continue;
        const { notBeforeMs, notAfterMs } = served.pair.leaf;
        if (nowMs < notBeforeMs || nowMs >= notAfterMs - 2 * scenario.mostSkewMs) continue;
        for (const { name, value } of api.target.list()) {
          if (isTampered(name) || leftBehind.has(name)) continue;
          for (const bundle of value.bundles) {
            const problem = chainProblem(pki, served.pair.hash, bundle, nowMs);
            if (problem !== null) return `calls over ${name} to ${machine.name} fail: ${problem}`;
          }
        }
      }
      return null;
    },
  };
};
