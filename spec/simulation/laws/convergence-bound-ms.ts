import { SLOWEST_MS } from '../neighbour.ts';
import type { Scenario } from '../scenario.ts';

/** Four times the longest back-off (30 s). */
const RETRIES_MS = 120_000;

/**
 * In how much time after the last fault all must be well, ms: a deaf watch of the leader is noticed, a lost leader is
 * replaced and the kubelet is waited for, each perhaps twice, a CA rotation settles and is held for its overlap, with retries. The
 * slowest of 10,000 histories takes about half of it.
 */
export const convergenceBoundMs = ({ policy, leaseDurationMs, kubeletDelayMs, neighbours }: Scenario): number =>
  policy.quietAfterMs +
  2 *
    (leaseDurationMs +
      kubeletDelayMs +
      Math.max(policy.caOverlapMs, policy.trustSettleMs) +
      policy.trustSettleMs +
      (neighbours === null ? 0 : SLOWEST_MS)) +
  RETRIES_MS;
