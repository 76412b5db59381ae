import { chainProblem } from '../chain-problem.ts';
import type { ClusterModel } from '../cluster-model.ts';
import type { Machine } from '../machine.ts';
import type { Signal, WrittenSignal } from '../signal.ts';

export interface Excuses {
  readonly note: (signal: Signal) => void;
  /** An outsider wrote it last. */
  readonly isTampered: (target: string) => boolean;
  readonly isExcused: (hash: string) => boolean;
  /** Whether calls may reach it, as far as anybody can know. */
  readonly isCalled: (machine: Machine) => boolean;
}

/** What L2 cannot be asked for, as narrowly as it can be said: the outsiders' doing, for as long as it lasts. */
export const excuses = ({ api, clocks, machines, pki, scenario }: ClusterModel): Excuses => {
  const tampered = new Set(scenario.standing === null ? api.target.list().map(({ name }) => name) : []);
  const excused = new Set<string>();
  /**
   * Neither ready nor known ever to have served when trust was written: nobody could wait for them. Stopped in the middle
   * of their first load for longer than CA_OVERLAP, they come back with what was announced before.
   */
  const uncounted = new Set<Machine>();
  const standing = api.lease.get('lease')?.value.announcement?.hash;
  const everAnnounced = new Set(standing === undefined ? [] : [standing]);
  let announcementTaken = false;
  let authorityRestored = false;

  const fails = (hash: string, anchors: readonly string[]): boolean =>
    chainProblem(pki, hash, anchors, clocks.trueMs()) !== null;
  const inUse = (): readonly string[] =>
    machines().flatMap((machine) => {
      const hashes = [machine.served()?.pair.hash, machine.volume.current().crt];
      return hashes.filter((hash) => typeof hash === 'string');
    });
  const bundle = (): readonly string[] => api.authority.get('authority')?.value.bundle ?? [];

  /** Its CA stands nowhere any more. */
  const excuseOrphans = (): void => {
    const targets = api.target.list().flatMap(({ value }) => value.bundles.flat());
    const authorities = [...(api.secret.get('secret')?.value.trust ?? []), ...bundle(), ...targets];
    for (const hash of inUse()) if (fails(hash, authorities)) excused.add(hash);
  };
  /** A Secret-ca out of a backup does not know what came later; of that only the announced pair's `ca.crt` tells. */
  const excuseForgotten = (): void => {
    const announced = api.lease.get('lease')?.value.announcement?.hash;
    const secret = api.secret.get('secret')?.value;
    for (const hash of inUse()) {
      const isWhole = hash === announced && hash === secret?.crt && secret.key === hash.split('+')[0];
      const told = isWhole ? secret.trust : [];
      if (fails(hash, [...bundle(), ...told])) excused.add(hash);
    }
  };

  const noteUncounted = (): void => {
    for (const machine of machines()) {
      const pod = api.pod.get(machine.name)?.value;
      if (pod?.ready !== true && pod?.servingHash == null) uncounted.add(machine);
    }
  };

  /** Announced, replaced, announced again: an old acknowledgement of it cannot be told from a new one. */
  const noteAnnounced = (hash: string): void => {
    if (everAnnounced.has(hash)) for (const other of inUse()) if (other !== hash) excused.add(other);
    everAnnounced.add(hash);
  };

  const noteOutsider = (signal: WrittenSignal): void => {
    if (signal.kind === 'lease') {
      const announced = signal.after?.announcement?.hash;
      if (announced === undefined) announcementTaken = true;
      else if (announced !== signal.before?.announcement?.hash) excused.add(announced);
    }
    if (signal.kind === 'authority' && signal.why === 'spoil-authority earlier') authorityRestored = true;
    if (authorityRestored && signal.kind !== 'target') excuseForgotten();
    // An external issuer's pair is somebody else's decision, also when its own ca.crt does not go with it.
    if (signal.kind === 'secret' && scenario.policy.issuer === 'external' && signal.after?.crt != null) {
      if (fails(signal.after.crt, signal.after.trust)) excused.add(signal.after.crt);
    }
    excuseOrphans();
  };

  return {
    note: (signal) => {
      if (signal.type === 'machine' && signal.became === 'started') uncounted.delete(signal.machine);
      if (signal.type === 'served' && signal.pair.hash === api.lease.get('lease')?.value.announcement?.hash)
        uncounted.delete(signal.machine);
      if (signal.type !== 'written') return;
      const outside = signal.by === 'outsider' || signal.by === 'issuer';
      if (signal.kind === 'target') tampered[outside ? 'add' : 'delete'](signal.name);
      if (outside) noteOutsider(signal);
      else if (signal.kind === 'target' || signal.kind === 'authority') noteUncounted();
      const announced = signal.kind === 'lease' ? signal.after?.announcement?.hash : undefined;
      const before = signal.kind === 'lease' ? signal.before?.announcement?.hash : undefined;
      if (announced !== undefined && announced !== before) noteAnnounced(announced);
      // With nothing announced there is nothing that could be kept back for.
      if (!outside && announcementTaken && announced !== undefined) {
        announcementTaken = false;
        excused.add(announced);
      }
    },
    isTampered: (target) => tampered.has(target),
    isExcused: (hash) => excused.has(hash),
    isCalled: (machine) => {
      const goneAtMs = api.pod.get(machine.name)?.value.goneAtMs ?? Infinity;
      // A Pod being deleted is killed when its grace is over, by whichever clock.
      return !uncounted.has(machine) && clocks.trueMs() + scenario.mostSkewMs < goneAtMs;
    },
  };
};
