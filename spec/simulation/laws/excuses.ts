import { issuers } from '../../../streams/issuers.ts';
import { chainProblem } from '../chain-problem.ts';
import type { ClusterModel } from '../cluster-model.ts';
import type { Signal, WrittenSignal } from '../signal.ts';
import type { StoredTarget } from '../stored-objects.ts';

export interface Excuses {
  readonly note: (signal: Signal) => void;
  /** It has expired, or has by some clock. */
  readonly isOver: (announcement: { readonly validUntil: string } | null | undefined) => boolean;
  /** An outsider wrote it last. */
  readonly isTampered: (target: string) => boolean;
  readonly isExcused: (hash: string) => boolean;
  /** An outsider wrote this certificate into the Secret last. */
  readonly isForeign: (hash: string) => boolean;
  /** It was announced when the one before had expired by some clock, which waits for no API server. */
  readonly isHasty: (hash: string) => boolean;
  /** The last trace of some of these CAs goes with this write of an outsider: no leader can know that they stood. */
  readonly isForgotten: (cas: readonly string[], by: WrittenSignal) => boolean;
}

/** Written by no leader. */
export const isOutside = ({ by }: WrittenSignal): boolean => by === 'outsider' || by === 'issuer';

/** What L2 cannot be asked for, as narrowly as it can be said: the outsiders' doing, for as long as it lasts. */
export const excuses = ({ api, clocks, machines, pki, scenario }: ClusterModel): Excuses => {
  const tampered = new Set(scenario.standing === null ? api.target.list().map(({ name }) => name) : []);
  const excused = new Set<string>();
  const standing = api.lease.get('lease')?.value.announcement?.hash;
  const everAnnounced = new Set(standing === undefined ? [] : [standing]);
  /** What a leader has announced, or written and may be about to announce. */
  const everIssued = new Set(everAnnounced);
  const foreign = new Set<string>();
  const hasty = new Set<string>();
  /** Until when what an API server does not know yet was announced in haste, and so is what follows it under that CA. */
  let hastyUntilMs = 0;
  let announcementTaken = false;

  const fails = (hash: string, anchors: readonly string[]): boolean =>
    chainProblem(pki, hash, anchors, clocks.trueMs()) !== null;
  /** Served, mounted, or announced: a replica that was stopped in its first load may still come to serve that. */
  const inUse = (): readonly string[] => {
    const served = machines().flatMap((machine) => [machine.served()?.pair.hash, machine.volume.current().crt]);
    return [...served, api.lease.get('lease')?.value.announcement?.hash].filter((hash) => typeof hash === 'string');
  };
  const bundle = (): readonly string[] => api.authority.get('authority')?.value.bundle ?? [];

  /**
   * The `ca.crt` of a Secret may be anybody's: of that of the announced one, what signs its leaf is a trace (not what
   * signed its bridge, which may just have been narrowed away); of another, nothing is.
   */
  const toldBy = (announced: string | undefined): readonly string[] => {
    const secret = api.secret.get('secret')?.value;
    if (secret?.crt == null || secret.crt !== announced) return [];
    const [leaf = ''] = secret.crt.split('+');
    return secret.trust.filter((ca) => !fails(leaf, [ca]));
  };
  /** What others have written into a caBundle is no trace where SECRET-ca and the Secret stand and say something else. */
  const believes = (target: string): boolean =>
    !tampered.has(target) || api.authority.get('authority') === null || api.secret.get('secret') === null;
  /** The leader finds the CA of what it has copied in the source, as long as its pair can be used. */
  const ofSource = (): readonly string[] => {
    const { crt, key, trust } = api.source.get('source')?.value ?? { crt: null, key: null, trust: [] };
    return crt === null || key !== pki.get(crt)?.key || fails(crt, trust) ? [] : trust;
  };
  const standingAuthorities = (): readonly string[] => {
    const believed = api.target.list().filter(({ name }) => believes(name));
    const targets = believed.flatMap(({ value }) => value.bundles.flat());
    return [...toldBy(api.lease.get('lease')?.value.announcement?.hash), ...ofSource(), ...bundle(), ...targets];
  };
  const removedBy = (signal: WrittenSignal): readonly string[] => {
    if (signal.kind === 'target') return signal.before?.bundles.flat() ?? [];
    if (signal.kind === 'secret' || signal.kind === 'source') return signal.before?.trust ?? [];
    if (signal.kind === 'lease') return toldBy(signal.before?.announcement?.hash);
    return signal.kind === 'authority' ? (signal.before?.bundle ?? []) : [];
  };

  /**
   * The last trace of its CA went with this write, and a replica may have been stopped between verifying it and serving
   * it.
   */
  const excuseOrphanedBy = (signal: WrittenSignal): void => {
    const left = standingAuthorities();
    for (const hash of everIssued)
      if (fails(hash, left) && !fails(hash, [...left, ...removedBy(signal)])) excused.add(hash);
  };

  /** Its CA stands nowhere any more. */
  const excuseOrphans = (): void => {
    const left = standingAuthorities();
    for (const hash of inUse()) if (fails(hash, left)) excused.add(hash);
  };

  /** Announced, replaced, announced again: an old acknowledgement of it cannot be told from a new one. */
  const noteAnnounced = (hash: string): void => {
    if (!issuers[scenario.policy.issuer].keepsCa && everAnnounced.has(hash))
      for (const other of inUse()) if (other !== hash) excused.add(other);
    everAnnounced.add(hash);
    everIssued.add(hash);
  };

  const isOver = (announcement: { readonly validUntil: string } | null | undefined): boolean =>
    announcement != null && Date.parse(announcement.validUntil) <= clocks.trueMs() + scenario.mostSkewMs;

  const noteSecret = (
    { before, after }: Extract<WrittenSignal, { readonly kind: 'secret' }>,
    outside: boolean,
  ): void => {
    if (after?.crt == null) return;
    if (outside) foreign.add(after.crt);
    // A leader that completes the `ca.crt` beside another writer's certificate does not make that its own.
    else if (before?.crt !== after.crt) {
      foreign.delete(after.crt);
      everIssued.add(after.crt);
      // Another server may show it before it is announced.
      if (isOver(api.lease.get('lease')?.value.announcement)) hasty.add(after.crt);
    }
    const isOpen = ({ value }: { readonly value: StoredTarget }): boolean =>
      value.bundles.some((own) => own.length === 0);
    // What an empty caBundle accepts is not known, and is lost when the source brings a `ca.crt` at last.
    if (!outside && after.trust.length === 0 && api.target.list().some(isOpen)) excused.add(after.crt);
  };

  const noteOutsider = (signal: WrittenSignal): void => {
    if (signal.kind === 'lease') {
      const announced = signal.after?.announcement?.hash;
      if (announced === undefined) announcementTaken = true;
      else if (announced !== signal.before?.announcement?.hash) excused.add(announced);
    }
    // An external issuer's pair is somebody else's decision, also when its own ca.crt does not go with it.
    if (signal.kind === 'secret' && scenario.policy.issuer === 'external' && signal.after?.crt != null) {
      if (fails(signal.after.crt, signal.after.trust)) excused.add(signal.after.crt);
    }
    excuseOrphans();
    excuseOrphanedBy(signal);
  };

  return {
    note: (signal) => {
      if (signal.type !== 'written') return;
      const outside = isOutside(signal);
      if (signal.kind === 'target') tampered[outside ? 'add' : 'delete'](signal.name);
      if (signal.kind === 'secret') noteSecret(signal, outside);
      if (outside) noteOutsider(signal);
      const announced = signal.kind === 'lease' ? signal.after?.announcement?.hash : undefined;
      const before = signal.kind === 'lease' ? signal.before?.announcement?.hash : undefined;
      if (announced !== undefined && announced !== before) noteAnnounced(announced);
      if (signal.kind === 'lease' && isOver(signal.before?.announcement))
        hastyUntilMs = clocks.trueMs() + scenario.policy.trustSettleMs;
      if (announced !== undefined && announced !== before && clocks.trueMs() < hastyUntilMs) hasty.add(announced);
      // With nothing announced, a CA that only an unread target still holds is not waited for.
      if (!outside && announcementTaken && signal.kind === 'authority')
        for (const hash of inUse()) if (fails(hash, signal.after?.bundle ?? [])) excused.add(hash);
      // With nothing announced there is nothing that could be kept back for.
      if (!outside && announcementTaken && announced !== undefined) {
        announcementTaken = false;
        excused.add(announced);
      }
    },
    isOver,
    isTampered: (target) => tampered.has(target),
    isExcused: (hash) => excused.has(hash),
    isForeign: (hash) => foreign.has(hash),
    isHasty: (hash) => hasty.has(hash),
    isForgotten: (cas, signal) => {
      if (!isOutside(signal)) return false;
      const left = standingAuthorities();
      const before = [...left, ...removedBy(signal)];
      return cas.some((ca) => !left.includes(ca)) && cas.every((ca) => before.includes(ca));
    },
  };
};
