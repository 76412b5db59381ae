import type { Generation } from './generation.ts';
import type { Serving } from './machine.ts';
import type { Random } from './random.ts';
import type { NeighbourHabit } from './scenario.ts';
import type { Setting } from './setting.ts';
import type { Volume } from './volume.ts';

/** A server in the Pod that terminates TLS itself, and outlives the replica beside it. */
export interface SimulatedNeighbour {
  /** What a handshake with it shows; null while it has no certificate. */
  readonly served: () => Serving | null;
  /** It may never read a changed certificate. */
  readonly isStubborn: boolean;
  /** It has restarted into an older mount, and has not read the present one since. */
  readonly isAstray: () => boolean;
  /** Its container starts again. */
  readonly restart: () => void;
}

/** The slowest that read a change at all, ms. */
export const SLOWEST_MS = 120_000;
const PROMPT_MS = 2_000;

/** Reads the volume as its habit is. What no server can use is not read: it goes on with what it has. */
export const neighbourOf = (
  { cluster, pki, time }: Pick<Setting, 'cluster' | 'pki' | 'time'>,
  volume: Volume,
  {
    random,
    habit,
    onLoaded,
  }: { readonly random: Random; readonly habit: NeighbourHabit; readonly onLoaded: () => void },
): SimulatedNeighbour => {
  const isStubborn = habit === 'never' || habit === 'once' || (habit === 'some-never' && random.chance(0.5));
  let reloads = isStubborn ? (habit === 'once' ? 1 : 0) : Infinity;
  const mostMs = habit === 'late' ? SLOWEST_MS : PROMPT_MS;
  const seen: Generation[] = [];
  let serving: Serving | null = null;
  let astray = false;

  const load = (files: Generation): boolean => {
    const leaf = pki.get(files.crt?.split('+')[0] ?? '');
    if (files.crt === null || leaf === undefined || leaf.isAuthority || leaf.key !== files.key) return false;
    const { id: generation, crt: hash, trust } = files;
    serving = { files, pair: { hash, generation, leaf: leaf.facts, bundle: pki.factsOf(trust), advice: [] } };
    seen.push(files);
    onLoaded();
    return true;
  };
  const loadCurrent = (): void => {
    if (load(volume.current())) astray = false;
  };
  volume.onSwap(() => {
    // A container that exits without a certificate is started again until there is one.
    if (serving === null) loadCurrent();
    else if (reloads > 0) {
      reloads -= 1;
      time.after(cluster, random.int(0, mostMs), loadCurrent);
    }
  });

  return {
    served: () => serving,
    isStubborn,
    isAstray: () => astray,
    restart: () => {
      const older = habit === 'older-mount' && seen.length > 0 ? random.pick(seen) : null;
      if (older === null) {
        loadCurrent();
        return;
      }
      astray = older.id !== volume.current().id;
      load(older);
      time.after(cluster, random.int(0, SLOWEST_MS), loadCurrent);
    },
  };
};
