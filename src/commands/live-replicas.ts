import { mayServe } from '../../streams/may-serve.ts';
import type { Replica } from '../../streams/model.ts';

/** The replicas that may serve. The same ones the leader waits for. */
export const liveReplicas = (replicas: readonly Replica[], nowMs: number): readonly Replica[] =>
  replicas.filter((replica) => mayServe(replica, nowMs));
