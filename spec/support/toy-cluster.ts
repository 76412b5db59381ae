import type { CertificateInfo, LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { CaState, PlannerInput, SecretState, TargetState } from '../../streams/planner-input.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf } from './cluster-of.ts';

interface Pod {
  readonly name: string;
  readonly serves: SecretState | null;
}

const namesOf = (certificates: readonly CertificateInfo[]): string =>
  certificates.map(({ fingerprint }) => fingerprint).join('+');

/**
 * A cluster that carries out steps as the real one does, as far as the planner can tell: an object written on another
 * version than it has is a conflict, and only what is announced is ever served.
 *
 * @param bridges whether a new CA is cross-signed by the one before (L8)
 * @param sinceStartMs a clock that runs beside those that `wait` sets
 */
export const toyCluster = (
  start: PlannerInput,
  { bridges, sinceStartMs = () => 0 }: { readonly bridges: boolean; readonly sinceStartMs?: () => number },
) => {
  let version = 1;
  let setMs = 0;
  const nowMs = (): number => clusterOf.nowMs + setMs + sinceStartMs();
  let authority = start.ca as CaState | 'absent';
  let secret = start.secret as SecretState | 'absent';
  let lease: LeaseSnapshot = start.lease;
  const targets = new Map(start.targets.map(({ id, state }) => [id, state as TargetState | 'absent']));
  const pods = new Map<string, Pod>();
  /** CA → the older ones that have signed it; leaf → those that signed its CA when it was issued. */
  const signersOf = new Map<string, readonly string[]>();
  const made = new Map<string, number>();
  let authorities = 0;

  const stood = typeof secret === 'string' ? null : secret;
  for (const { name } of start.replicas as readonly Replica[]) pods.set(name, { name, serves: stood });

  const next = (): string => String(++version);
  const known = 'X A B C D E F G H I J K L M N'.split(' ');
  const newest = Math.max(...known.map((letter, at) => (JSON.stringify(start).includes(`"CN=${letter}"`) ? at : 0)));

  const newAuthority = (step: Extract<Step, { kind: 'issue-ca' }>): void => {
    authorities += 1;
    const letter = known[newest + authorities]!;
    const older = step.plannedOn === 'absent' ? null : step.plannedOn.current;
    const canSign = bridges && older !== null && nowMs() < older.notAfterMs;
    signersOf.set(letter, canSign ? [older.fingerprint, ...(signersOf.get(older.fingerprint) ?? [])] : []);
    const current = {
      ...clusterOf.certificate(letter),
      notBeforeMs: nowMs() - 3_600_000,
      notAfterMs: nowMs() + 3_650 * clusterOf.dayMs,
    };
    const crossSignedBy = signersOf.get(letter) ?? [];
    authority = {
      resourceVersion: next(),
      current,
      bundle: [current, ...step.keep],
      otherManager: null,
      crossSignedBy,
    };
  };

  const newLeaf = (signer: CertificateInfo, trust: readonly CertificateInfo[]): void => {
    const count = (made.get(signer.fingerprint) ?? 1) + 1;
    made.set(signer.fingerprint, count);
    const hash = `${signer.fingerprint.toLowerCase()}${count}`;
    const notAfterMs = Math.min(nowMs() + 365 * clusterOf.dayMs, signer.notAfterMs);
    const issued = clusterOf.secret(`${hash}:${namesOf(trust)}`, {}, next());
    const leaf = { ...clusterOf.certificate(hash), notBeforeMs: nowMs() - 3_600_000, notAfterMs };
    signersOf.set(hash, signersOf.get(signer.fingerprint) ?? []);
    secret = { ...issued, leaf, trust };
  };

  const standing = (step: Step): { readonly resourceVersion: string } | 'absent' => {
    if (step.kind === 'inject') return targets.get(step.target) ?? 'absent';
    return step.kind === 'issue-leaf' || step.kind === 'update-secret-ca' ? secret : authority;
  };

  const conflicts = (step: Step): boolean => {
    if (!('plannedOn' in step)) return false;
    const now = standing(step);
    if (step.plannedOn === 'absent' || now === 'absent') return step.plannedOn !== now;
    return step.plannedOn.resourceVersion !== now.resourceVersion;
  };

  const write = (step: Step): 'written' | 'conflict' => {
    if (conflicts(step)) return 'conflict';
    switch (step.kind) {
      case 'issue-ca':
        newAuthority(step);
        break;
      case 'extend-ca-bundle':
      case 'prune-ca-bundle':
        authority = {
          ...step.plannedOn,
          resourceVersion: next(),
          bundle: [...(step.plannedOn.current === null ? [] : [step.plannedOn.current]), ...step.keep],
        };
        if (step.keep.length === 0 && step.plannedOn.current !== null) {
          authority = { ...authority, crossSignedBy: [] };
          signersOf.set(step.plannedOn.current.fingerprint, []);
        }
        break;
      case 'inject':
        targets.set(step.target, {
          ...step.plannedOn,
          resourceVersion: next(),
          bundles: step.plannedOn.bundles.map(() => step.trust),
          otherManager: null,
        });
        break;
      case 'issue-leaf':
        newLeaf(step.ca.current!, step.ca.bundle);
        break;
      case 'update-secret-ca':
        secret = { ...step.plannedOn, resourceVersion: next(), trust: step.trust };
        break;
      case 'announce':
        lease = {
          ...lease,
          resourceVersion: next(),
          announcement: step.announcement,
          malformed: null,
          servedSinceMs: null,
          rotate: step.clearsRotationRequest ? null : lease.rotate,
        };
        break;
      case 'record-served':
        lease = { ...lease, resourceVersion: next(), servedSinceMs: step.sinceMs };
        break;
      case 'record-trusted':
        lease = { ...lease, resourceVersion: next(), trusted: step.trusted };
        break;
      case 'set-rotation-request':
        lease = { ...lease, resourceVersion: next(), rotate: step.rotate };
        break;
    }
    return 'written';
  };

  return {
    write,
    nowMs,
    authorities: () => authorities,
    /** Time passes, or the clock is set. */
    wait: (ms: number) => void (setMs += ms),
    /** The replica's kubelet has synced: it serves what is mounted if that is what is announced. True if that is new. */
    sync: (name: string): boolean => {
      if (secret === 'absent' || secret.hash === null || secret.hash !== lease.announcement?.hash) return false;
      if (pods.get(name)?.serves?.hash === secret.hash) return false;
      pods.set(name, { name, serves: secret });
      return true;
    },
    observed: (): PlannerInput => ({
      lease,
      secret,
      ca: authority,
      targets: [...targets].map(([id, state]) => ({ id, state, held: false })),
      replicas: [...pods.values()].map(({ name, serves }) => ({
        name,
        servingHash: serves?.hash ?? null,
        goneAtMs: null,
      })),
    }),
    /** What L2 forbids: each served leaf that a target would refuse. */
    refused: (): readonly string[] =>
      [...pods.values()].flatMap(({ name, serves }) =>
        [...targets].flatMap(([id, state]) => {
          if (serves?.hash == null || state === 'absent') return [];
          const signers = [serves.hash.slice(0, 1).toUpperCase(), ...(signersOf.get(serves.hash) ?? [])];
          const trusts = state.bundles.every((own) =>
            own.some(({ fingerprint, notAfterMs }) => signers.includes(fingerprint) && nowMs() < notAfterMs),
          );
          return trusts ? [] : [`${id} (${state.bundles.map(namesOf).join('|')}) refuses ${serves.hash} of ${name}`];
        }),
      ),
    /** What other people do. */
    meddle: {
      deleteSecret: () => void (secret = 'absent'),
      deleteAuthority: () => void (authority = 'absent'),
      putAuthorityBack: (older: CaState) => void (authority = { ...older, resourceVersion: next() }),
      putSecretBack: (older: SecretState) => void (secret = { ...older, resourceVersion: next() }),
      loseKey: () =>
        void (authority =
          authority === 'absent' ? authority : { ...authority, resourceVersion: next(), current: null }),
      putTargetBack: (id: string, older: TargetState) => void targets.set(id, { ...older, resourceVersion: next() }),
      forgetAnnouncement: () =>
        void (lease = { ...lease, resourceVersion: next(), announcement: null, servedSinceMs: null }),
      ask: (rotate: string) => void (lease = { ...lease, resourceVersion: next(), rotate }),
      restart: (name: string) => void pods.set(name, { name, serves: null }),
    },
  };
};

export type ToyCluster = ReturnType<typeof toyCluster>;
