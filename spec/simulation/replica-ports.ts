import { tap } from 'rxjs';
import { issuers } from '../../streams/issuers.ts';
import type { TargetState } from '../../streams/planner-input.ts';
import type { ReplicaPorts } from '../../streams/replica.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import type { Collection, Entry } from './collection.ts';
import { leasePorts } from './lease-ports.ts';
import { loadPorts } from './load-ports.ts';
import { performStep } from './perform-step.ts';
import { podPorts } from './pod-ports.ts';
import type { ProcessContext } from './process-context.ts';
import { watchPort } from './watch-port.ts';

/** All ports of one replica, as src/daemon/ports.ts joins the real ones. */
export const replicaPorts = (context: ProcessContext): ReplicaPorts => {
  const { api, clock, machine, random, scenario, tell, views } = context;
  const watched = <S, T>(
    collection: Collection<S>,
    name: string | null,
    view: (entry: Entry<S>) => T,
    forbidden = false,
  ) => watchPort(context, { collection, versions: api.versions, name, view, forbidden });
  const toldOf = (name: string, port: WatchPort<TargetState>): WatchPort<TargetState> => ({
    list: () => port.list(),
    watch: (from) =>
      port.watch(from).pipe(
        tap((frame) => {
          if (frame.type === 'applied') tell({ type: 'target/told', machine, name, version: frame.resourceVersion });
        }),
      ),
  });
  return {
    clock,
    random: () => random.next(),
    ...leasePorts(context),
    ...loadPorts(context),
    ...podPorts(context),
    ...performStep(context),
    secretWatch: watched(api.secret, 'secret', views.secret),
    ...(issuers[scenario.policy.issuer].readsSource
      ? { sourceWatch: watched(api.source, 'source', views.source) }
      : {}),
    caWatch: watched(api.authority, 'authority', views.authority),
    targets: Array.from({ length: scenario.targets }, (_, at) => `target-${at}`).map((id) => ({
      id,
      watch: toldOf(id, watched(api.target, id, views.target)),
    })),
    replicaWatch: watched(api.pod, null, views.replica, !scenario.podsReadable),
  };
};
