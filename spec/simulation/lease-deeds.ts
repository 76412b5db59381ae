import type { ClusterModel } from './cluster-model.ts';
import type { LeaseDeed, Strikes } from './fault.ts';
import type { StoredLease } from './stored-objects.ts';

/** Edits the Lease by hand, and takes it over as a client-go elector would. */
export const leaseDeeds = ({ api, scenario, time }: ClusterModel): Strikes<LeaseDeed> => {
  const change = (why: string, changed: (lease: StoredLease) => Partial<StoredLease>): void => {
    if (api.lease.get('lease') === null) return;
    api.lease.update({ by: 'outsider', name: 'lease', why }, null, (lease) => ({ ...lease, ...changed(lease) }));
  };
  const forged = (how: 'unknown' | 'mounted' | 'malformed' | 'removed'): Partial<StoredLease> => {
    if (how === 'removed') return { announcement: null, malformed: null };
    if (how === 'malformed') return { announcement: null, malformed: 'cert-hash is missing' };
    const mounted = how === 'mounted' ? api.secret.get('secret')?.value.crt : null;
    return { announcement: { hash: mounted ?? 'forged', validUntil: '2027-01-01T00:00:00Z' }, malformed: null };
  };

  return {
    'set-rotation-request': ({ rotate }) => change('set-rotation-request', () => ({ rotate })),
    'forge-announcement': ({ how }) => change(`forge-announcement ${how}`, () => forged(how)),
    usurp: () =>
      change('usurp', ({ transitions }) => ({
        holder: 'stranger',
        durationMs: scenario.leaseDurationMs,
        renewTime: `stranger ${time.nowMs()}`,
        transitions: transitions + 1,
      })),
  };
};
