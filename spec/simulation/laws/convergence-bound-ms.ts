import type { Scenario } from '../scenario.ts';

/** Stated per scenario, ms. */
export const convergenceBoundMs = ({ policy, leaseDurationMs, kubeletDelayMs }: Scenario): number =>
  3 * (policy.quietAfterMs + leaseDurationMs + kubeletDelayMs + policy.caOverlapMs + 60_000);
