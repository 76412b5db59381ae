import type { CertificateInfo, LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { CaState, PlannerInput, SecretState } from '../../streams/planner-input.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { apiServer } from './api-server.ts';
import { chainProblem } from './chain-problem.ts';
import type { Collection, Entry } from './collection.ts';
import { objectViews } from './object-views.ts';
import type { StoredAuthority, StoredSecret } from './stored-objects.ts';
import { type Naming, type SymbolicPki, symbolicPki } from './symbolic-pki.ts';

const isKnown = <T extends object>(state: T | string): state is T => typeof state !== 'string';

/** Names new certificates as sketches do: `B`, its first leaf `b1`, and `B/A`, which is B signed by A. */
const sketchedPki = (): SymbolicPki => {
  const named = ({ kind, key, signer }: Naming): string => {
    if (kind === 'bridge') return `${key}/${signer}`;
    const nameOf = (at: number) => (signer === null ? String.fromCharCode(64 + at) : `${signer.toLowerCase()}${at}`);
    let at = 1;
    while (pki.get(nameOf(at)) !== undefined) at += 1;
    return nameOf(at);
  };
  const pki = symbolicPki(named);
  return pki;
};

/** What a sketch says stands in the cluster, in the simulation's API server, and what people may do to it. */
export const sketchedObjects = (sketch: Sketch) => {
  const api = apiServer(() => undefined);
  const pki = sketchedPki();
  const views = objectViews(pki, null);

  const adopt = (facts: CertificateInfo, signer = facts.fingerprint): string => {
    const { fingerprint: key } = facts;
    if (pki.get(key) === undefined) pki.adopt({ facts, key, signer, isAuthority: signer === key });
    return key;
  };
  const cas = (certificates: readonly CertificateInfo[]) => certificates.map((facts) => adopt(facts));
  const storedSecret = ({ hash, leaf, trust }: SecretState): StoredSecret => {
    if (leaf !== null) adopt(leaf, leaf.fingerprint.slice(0, 1).toUpperCase());
    return { crt: hash, key: hash, trust: cas(trust) };
  };
  const storedAuthority = ({ current, bundle }: CaState): StoredAuthority => {
    const crt = current === null ? 'none' : adopt(current);
    return { crt, key: crt, bundle: cas(bundle), bridges: [] };
  };

  const put = <T>(objects: Collection<T>, name: string, value: T | null): void => {
    const write = { by: 'outsider', name, why: 'put' };
    if (value === null) objects.remove(write);
    else if (objects.get(name) === null) objects.create(write, value);
    else objects.update(write, null, () => value);
  };
  const shown = <S, T>(entry: Entry<S> | null, view: (entry: Entry<S>) => T): T | 'absent' =>
    entry === null ? 'absent' : view(entry);
  const secret = () => shown(api.secret.get('secret'), views.secret);
  const lease = (): LeaseSnapshot | null => {
    const entry = api.lease.get('lease');
    return entry === null ? null : views.lease(entry);
  };
  const pods = api.pod;

  /** What other people do: null deletes. */
  const meddle = {
    secret: (words: string | null): void =>
      put(api.secret, 'secret', words === null ? null : storedSecret(clusterOf.secret(words, sketch.daysLeft))),
    authority: (words: string | null): void =>
      put(
        api.authority,
        'authority',
        words === null ? null : storedAuthority(clusterOf.authority(words, sketch.daysLeft)),
      ),
    loseKey: (): void => {
      const standing = api.authority.get('authority');
      if (standing !== null) put(api.authority, 'authority', { ...standing.value, key: 'another' });
    },
    target: (id: string, words: string, otherManager?: string): void => {
      const state = clusterOf.targetState(words, sketch.daysLeft);
      put(api.target, id, { bundles: state.bundles.map(cas), otherManager: otherManager ?? state.otherManager });
    },
    lease: (change: Partial<LeaseSnapshot> | null): void =>
      put(api.lease, 'lease', change === null ? null : { ...clusterOf.lease(), ...lease(), ...change }),
    pod: (name: string, servingHash: string | null): void =>
      put(pods, name, { expectedHash: null, ready: true, goneAtMs: null, ...pods.get(name)?.value, servingHash }),
  };

  const start = clusterOf.observed(sketch);
  if (isKnown(start.secret)) meddle.secret(sketch.secret!);
  if (isKnown(start.ca)) meddle.authority(sketch.ca!);
  const targets = start.targets.map(({ id }) => id);
  targets.forEach((id, at) => meddle.target(id, sketch.targets?.[at] ?? '0'));
  for (const { name, servingHash } of start.replicas as readonly Replica[]) meddle.pod(name, servingHash);
  const stands = secret();
  const { announcement: said } = start.lease;
  // The end of what stands, as an announcement tells it.
  const isSaid = isKnown(stands) && said !== null && stands.hash === said.hash;
  meddle.lease({ ...start.lease, announcement: isSaid ? { ...said, validUntil: stands.validUntil } : said });

  let seen = start;
  let seenAt: number | null = null;

  return {
    api,
    pki,
    views,
    targets,
    lease,
    meddle,
    observed: (): PlannerInput => {
      if (seenAt === api.versions.newest()) return seen;
      seenAt = api.versions.newest();
      seen = {
        lease: lease()!,
        secret: secret(),
        ca: shown(api.authority.get('authority'), views.authority),
        targets: targets.map((id) => ({ id, state: shown(api.target.get(id), views.target), held: false })),
        replicas: pods.list().map(views.replica),
      };
      return seen;
    },
    /** The replica's kubelet has synced: it serves what is mounted if that is what is announced. True if that is new. */
    sync: (name: string): boolean => {
      const mounted = api.secret.get('secret')?.value.crt ?? null;
      if (mounted === null || mounted !== lease()?.announcement?.hash) return false;
      if (pods.get(name)?.value.servingHash === mounted) return false;
      meddle.pod(name, mounted);
      return true;
    },
    /** What L2 forbids: each served leaf that a target refuses at this time, and why. */
    refusedAt: (nowMs: number): readonly string[] => {
      const served = new Set(pods.list().map(({ value: { servingHash } }) => servingHash));
      return [...served].flatMap((hash) =>
        api.target.list().flatMap(({ name, value: { bundles } }) =>
          bundles.flatMap((own) => {
            const problem = hash === null ? null : chainProblem(pki, hash, own, nowMs);
            return problem === null ? [] : [`${name} refuses ${hash}: ${problem}`];
          }),
        ),
      );
    },
  };
};
