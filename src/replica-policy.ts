import type { ReplicaPolicy } from '../streams/replica.ts';
import type { Config } from './config.ts';

/** A quiet watch carries a bookmark a minute at best: kube-apiserver's bookmarkFrequency. */
const QUIET_MS = 150_000;

/** What the streams need of the configuration. */
export const replicaPolicy = (config: Config): ReplicaPolicy => ({
  identity: config.identity,
  names: config.serviceNames,
  issuer: config.issuer,
  tickMs: config.tickMs,
  certTimeoutMs: config.certTimeoutMs === 0 ? null : config.certTimeoutMs,
  kubeletNudge: config.kubeletNudge,
  leaderElection: config.leaderElection,
  renewDeadlineMs: config.renewDeadlineMs,
  retryPeriodMs: config.retryPeriodMs,
  staleAfterMs: config.watchStaleAfterMs,
  quietAfterMs: Math.max(QUIET_MS, 2.5 * config.watchStaleAfterMs),
  renewBeforeMs: config.renewBeforeMs,
  caRenewBeforeMs: config.caRenewBeforeMs,
  caOverlapMs: config.caOverlapMs,
});
