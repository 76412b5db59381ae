import type { Config } from './config.ts';
import type { Status } from './probes/status.ts';
import { rfc3339Seconds } from './rfc3339-seconds.ts';
import type { Standing } from './standing.ts';
import type { VerifiedPair } from '../streams/model.ts';

const servedOf = (pair: VerifiedPair | null): Status['served'] =>
  pair === null
    ? null
    : {
        hash: pair.hash,
        serial: pair.leaf.serial,
        notBefore: rfc3339Seconds(pair.leaf.notBeforeMs),
        notAfter: rfc3339Seconds(pair.leaf.notAfterMs),
        names: pair.leaf.names,
      };

const bundleOf = (pair: VerifiedPair | null): Status['bundle'] =>
  pair?.bundle.map(({ subject, notAfterMs }) => ({ subject, notAfter: rfc3339Seconds(notAfterMs) })) ?? null;

/** How things stand, as `/status` says it. */
export const statusOf = (
  standing: Standing,
  { identity, leaderElection }: Config,
  reasons: readonly string[],
): Status => {
  const { served } = standing.readiness;
  const candidate = leaderElection ? 'candidate' : 'follower';
  return {
    role: standing.leading ? 'leader' : candidate,
    identity,
    leader: standing.leader,
    ready: reasons.length === 0,
    reasons,
    announced: standing.announced,
    mounted: standing.mountedHash === null ? null : { hash: standing.mountedHash },
    served: servedOf(served),
    watch: { state: standing.watch.state, since: new Date(standing.watch.sinceMs).toISOString() },
    bundle: bundleOf(served),
    replicas: standing.replicas?.map(({ name, servingHash }) => ({ name, servingHash })) ?? null,
  };
};
