import { defer, finalize, map, tap } from 'rxjs';
import type { LeasePorts } from '../../streams/lease-snapshot.ts';
import type { LeaseChange, LeaseWritePort } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import type { WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import { leaseAfter } from './lease-after.ts';
import type { ProcessContext } from './process-context.ts';
import { watchPort } from './watch-port.ts';

/** As src/cluster/lease.ts, in the model. */
export const leasePorts = (context: ProcessContext): LeasePorts & LeaseWritePort => {
  const { api, clock, host, machine, net, scenario, tell, time, views } = context;
  const told = (
    lease: LeaseSnapshot | null,
    answers: { readonly change: LeaseChange; readonly sentAtMs: number } | null = null,
  ): void => tell({ type: 'lease/told', machine, lease, answers });

  const watched: WatchPort<LeaseSnapshot> = watchPort(context, {
    collection: api.lease,
    versions: api.versions,
    name: 'lease',
    view: views.lease,
    forbidden: false,
  });
  const tellFrame = (frame: WatchFrame<LeaseSnapshot>): void => {
    if (frame.type === 'applied') told(frame.object);
    if (frame.type === 'deleted') told(null);
  };

  return {
    leaseWatch: {
      list: () => watched.list().pipe(tap(({ items }) => told(items[0] ?? null))),
      watch: (from) => watched.watch(from).pipe(tap(tellFrame)),
    },
    getLease: () =>
      net
        .request(host, 'GET lease', () => {
          const entry = api.lease.get('lease');
          return entry === null ? null : views.lease(entry);
        })
        .pipe(tap((lease) => told(lease))),
    writeLease: (change, plannedOn) =>
      defer(() => {
        const sentAtMs = time.nowMs();
        const author = {
          identity: machine.name,
          durationMs: scenario.leaseDurationMs,
          renewTime: `${clock.wallMs()}/${machine.name}/${sentAtMs}`,
        };
        const write = { by: machine.name, name: 'lease', why: change.kind };
        let asking = true;
        const settle = (): void => {
          if (asking) tell({ type: 'lease/settled', machine });
          asking = false;
        };
        tell({ type: 'lease/asked', machine, change });
        return net
          .request(host, `PATCH lease (${change.kind})`, () =>
            plannedOn === null
              ? api.lease.create(write, leaseAfter(null, change, author))
              : api.lease.update(write, plannedOn.resourceVersion, (lease) => leaseAfter(lease, change, author)),
          )
          .pipe(
            map(views.lease),
            tap({ next: settle, error: settle }),
            tap((lease) => told(lease, { change, sentAtMs })),
            finalize(settle),
          );
      }),
  };
};
