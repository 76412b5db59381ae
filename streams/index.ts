/** The reactive core, for whoever embeds it. What is not here may change without notice. */
export { Problem } from './problem.ts';
export { follower } from './follower.ts';
export type { Follower, FollowerEvent, FollowerPolicy, FollowerPorts } from './follower.ts';
export { replica } from './replica.ts';
export type { ReplicaEvent, ReplicaPolicy, ReplicaPorts, ReplicaStreams } from './replica.ts';
export { resumingWatch } from './resuming-watch.ts';
export type { WatchItem, WatchPolicy } from './resuming-watch.ts';
export { retryWithBackoff } from './retry-with-backoff.ts';
export { singleFlight } from './single-flight.ts';
export type { SingleFlightOptions } from './single-flight.ts';
export { planExternal } from './plan-external.ts';
export { planIssuance } from './plan-issuance.ts';
export type { IssuancePolicy } from './plan-issuance.ts';
export type { Observed } from './cluster-state.ts';
export type { Step } from './step.ts';
export type { Readiness, UnreadyReason } from './readiness.ts';
export type * from './model.ts';
export type * from './watch-port.ts';
