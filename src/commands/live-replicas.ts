import type { Replica } from '../../streams/model.ts';

/** The replicas that calls may reach: alive, and ready or once serving. The same ones the leader waits for. */
export const liveReplicas = (replicas: readonly Replica[], nowMs: number): readonly Replica[] =>
  replicas.filter(
    ({ goneAtMs, ready, servingHash }) => (goneAtMs === null || nowMs < goneAtMs) && (ready || servingHash !== null),
  );
