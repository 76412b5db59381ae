/** How far apart the clocks of two machines may be, ms. Certificates are dated back by as much (L5). */
export const CLOCK_SKEW_MS = 3_600_000;

/** The two clocks of this machine, injected so that a simulation can skew and jump them. */
export interface Clock {
  /** Wall clock, ms since the epoch: for certificates, which carry dates. */
  wallMs(): number;
  /** Never jumps: for leases and fences, which count time that passed here. */
  monotonicMs(): number;
}
