import { issuers } from '../../../streams/issuers.ts';
import type { PlannerInput } from '../../../streams/planner-input.ts';
import type { ClusterModel } from '../cluster-model.ts';

/** Why the fleet is not yet what it should be, or null: the truth of the API server, not what anybody sees of it. */
export const converged = ({ api, clocks, machines, scenario, views }: ClusterModel): string | null => {
  const lease = api.lease.get('lease');
  if (lease === null) return 'there is no Lease';
  const leaders = machines().filter((machine) => machine.isLeading());
  const [leader] = leaders;
  if (leader === undefined || leaders.length > 1) return `${leaders.length} replicas think they lead`;
  if (lease.value.holder !== leader.name) return `${leader.name} leads and ${lease.value.holder} holds the Lease`;
  const secret = api.secret.get('secret');
  const source = api.source.get('source');
  const authority = api.authority.get('authority');
  const issuer = issuers[scenario.policy.issuer];
  const observed: PlannerInput = {
    lease: views.lease(lease),
    secret: secret === null ? 'absent' : views.secret(secret),
    ca: authority === null ? 'absent' : views.authority(authority),
    ...(issuer.readsSource ? { source: source === null ? ('absent' as const) : views.source(source) } : {}),
    targets: api.target.list().map((entry) => ({
      id: entry.name,
      state: views.target(entry),
      held: api.refusing.has(entry.name),
      refused: api.refusing.has(entry.name) ? 'invalid' : null,
    })),
    replicas: scenario.podsReadable ? api.pod.list().map(views.replica) : 'forbidden',
  };
  const policy = { ...scenario.policy, identity: leader.name };
  // A certificate that ends just now is valid on one clock and expired on another: what is left to do by the true time
  // counts only where the clock of the leader, as wrong as it may be, would agree.
  const planAt = (skewMs: number) => issuer.plan(observed, policy, clocks.trueMs() + skewMs);
  const skewsMs = [-scenario.mostSkewMs, 0, scenario.mostSkewMs];
  const step = skewsMs.some((skewMs) => planAt(skewMs) === null) ? null : planAt(0);
  // A change of CA may wait for a target that refuses its write; then nothing else may be left to do.
  if (step === null && issuer.caChangeWaitsFor(observed, policy, clocks.trueMs()).length > 0) return null;
  const hash = lease.value.announcement?.hash;
  if (secret === null || secret.value.crt !== hash) return `announced is ${hash}, issued ${secret?.value.crt}`;
  for (const machine of machines()) {
    if (machine.neighbour?.isStubborn === true) continue;
    const served = machine.served()?.pair.hash;
    if (served !== hash) return `${machine.name} serves ${served}, announced is ${hash}`;
    if (!machine.isReady()) return `${machine.name} is not ready: ${machine.readiness()?.reasons.join()}`;
  }
  if (step !== null) return `still to do: ${step.kind}`;
  if (issuer.readsSource && source?.value.crt !== hash) return `announced is ${hash}, the source ${source?.value.crt}`;
  if (!issuer.keepsCa) return null;
  const trusted = [...(authority?.value.bundle ?? [])].sort().join();
  const isTrue = (bundle: readonly string[]): boolean => [...bundle].sort().join() === trusted;
  const untrue = api.target.list().find(({ name, value }) => !api.refusing.has(name) && !value.bundles.every(isTrue));
  return untrue === undefined ? null : `${untrue.name} is not the trust bundle ${trusted}`;
};
