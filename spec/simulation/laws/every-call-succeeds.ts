import { chainProblem } from '../chain-problem.ts';
import type { WrittenSignal } from '../signal.ts';
import { excuses, isOutside } from './excuses.ts';
import type { LawOf } from './law.ts';
import { targetViews } from './target-views.ts';

/** How often validity is looked at again when nothing happens, ms. */
const AGAIN_MS = 30_000;

/**
 * L2: every certificate that a replica serves calls with verifies against every caBundle, as it is stored and as each API
 * server sees it that lags by less than TRUST_SETTLE. Not looked at is what an outsider has just broken, and a certificate
 * that is out of its own time by some clock. Views that are older than TRUST_SETTLE are counted where they refuse.
 */
export const everyCallSucceeds: LawOf = (model) => {
  const { api, clocks, machines, pki, scenario, time } = model;
  const { note, isOver, isTampered, isExcused, isForeign, isHasty, isForgotten } = excuses(model);
  /** Targets that refused to be widened until the certificate that they trust had expired. */
  const leftBehind = new Set<string>();
  /** Targets whose write was refused to a leader, with its name, until one of its writes is accepted again. */
  const setAside = new Map<string, string>();
  /** The targets that a leader, by its name, could not read when it looked last. */
  const unreadable = new Map<string, readonly string[]>();
  const views = targetViews(model);
  let dirty = true;
  let lookedAtMs = 0;
  let nextChangeMs: number | null = null;
  let lateRefusals = 0;
  /** Targets whose last write failed for this leader, by its name, in a way that may pass. */
  const failing = new Map<string, string>();

  /**
   * Whether this certificate was written or announced with none before it under which calls succeed. Then it does not wait
   * for a target that cannot be read or written (L9).
   */
  const waitsForNothing = (signal: Extract<WrittenSignal, { readonly kind: 'lease' | 'secret' }>): boolean => {
    if (signal.kind === 'secret') {
      return signal.before?.crt == null || isOver(api.lease.get('lease')?.value.announcement);
    }
    const [before, after] = [signal.before?.announcement ?? null, signal.after?.announcement ?? null];
    return after !== null && before?.hash !== after.hash && (before === null || isOver(before));
  };

  const leaveBehind = (leader: string): void => {
    for (const name of api.refusing) leftBehind.add(name);
    for (const name of unreadable.get(leader) ?? []) leftBehind.add(name);
    // One of these would accept the write by now, and the leader tries it again after a pause.
    for (const [name, by] of [...setAside, ...failing]) if (by === leader) leftBehind.add(name);
  };
  const isTargetExcused = (name: string): boolean => isTampered(name) || leftBehind.has(name);

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
      if (signal.type === 'written' && signal.kind === 'target') {
        views.replaced(signal, isTargetExcused(signal.name));
        leftBehind.delete(signal.name);
        // It mends what another writer broke without knowing what a target that it cannot read would tell.
        if (isTampered(signal.name) && (unreadable.get(signal.by) ?? []).length > 0) leftBehind.add(signal.name);
      }
      if (signal.type === 'event' && signal.event.type === 'cluster/observed')
        unreadable.set(
          signal.machine.name,
          signal.event.observed.targets.filter(({ state }) => state === 'unreadable').map(({ id }) => id),
        );
      if (signal.type === 'event' && signal.event.type === 'step/failed' && signal.event.step.kind === 'inject')
        failing.set(signal.event.step.target, signal.machine.name);
      if (signal.type === 'event' && signal.event.type === 'step/done' && signal.event.step.kind === 'inject')
        failing.delete(signal.event.step.target);
      if (signal.type === 'event' && signal.event.type === 'object/refused')
        setAside.set(signal.event.object, signal.machine.name);
      if (signal.type === 'event' && signal.event.type === 'object/accepted') setAside.delete(signal.event.object);
      if (signal.type === 'written' && (signal.kind === 'lease' || signal.kind === 'secret') && waitsForNothing(signal))
        if (!isOutside(signal)) leaveBehind(signal.by);
      note(signal);
      if (signal.type === 'written') views.forget((cas) => isForgotten(cas, signal));
      return null;
    },
    look: () => {
      const nowMs = clocks.trueMs();
      // A Secret that is missing is written for new Pods whatever refuses, and only the announcement waits.
      if (scenario.neighbours !== null) for (const name of api.refusing) leftBehind.add(name);
      const isChanged = nextChangeMs !== null && time.nowMs() >= nextChangeMs;
      if (!dirty && !isChanged && time.nowMs() - lookedAtMs < AGAIN_MS) return null;
      dirty = false;
      lookedAtMs = time.nowMs();
      const seen = views.seen(isTargetExcused).filter(({ isExcused }) => !isExcused);
      nextChangeMs = views.nextChangeMs();
      for (const machine of machines()) {
        const served = machine.served();
        if (served === null || isExcused(served.pair.hash)) continue;
        // What another writer puts into the Secret, a server that reads it by itself shows; and what it brings along.
        if (machine.neighbour !== null && (machine.neighbour.isAstray() || isForeign(served.pair.hash))) continue;
        const { notBeforeMs, notAfterMs } = served.pair.leaf;
        if (nowMs < notBeforeMs || nowMs >= notAfterMs - 2 * scenario.mostSkewMs) continue;
        for (const { target, server, bundles, staleMs } of seen) {
          if (server !== null && isHasty(served.pair.hash)) continue;
          for (const bundle of bundles) {
            const problem = chainProblem(pki, served.pair.hash, bundle, nowMs);
            if (problem === null) continue;
            const by = server === null ? '' : ` by API server ${server}, which is ${staleMs} ms behind,`;
            if (staleMs === 0 || staleMs < scenario.policy.trustSettleMs)
              return `calls over ${target}${by} to ${machine.name} fail: ${problem}`;
            lateRefusals += 1;
          }
        }
      }
      return null;
    },
    isLateRefusal: () => lateRefusals > 0,
  };
};
