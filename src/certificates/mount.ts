import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Observable } from 'rxjs';
import type { VolumeSnapshot } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { type MountedBytes, readSecretVolume, type VolumeRead } from './secret-volume.ts';
import type { PairFiles } from './verify-pair.ts';
import { type VolumeKind, volumeKind } from './volume-kind.ts';
import { watchDirectory, type WatchOptions } from './watch-directory.ts';

interface MountOptions extends WatchOptions {
  /** Ms since the epoch. */
  readonly wallMs?: () => number;
}

export interface Mount {
  /**
   * Reads one whole generation, on each subscription. Never errs: what goes wrong is the reading's problem, one of
   * `torn`, `missing: tls.key`, `too-large: FILE`, `not-a-file: FILE`, `unreadable: FILE ERRNO`.
   */
  read(): Observable<VolumeSnapshot>;
  /** Whether nothing has moved since the last reading, by a stat of each file; false when that cannot be told. */
  isUnmoved(): boolean;
  /** The very bytes of the last reading, when that is the generation asked for. */
  files(generation: string): PairFiles | null;
  /** Something in the directory moved. Never errs, and may stay silent for ever: poll as well. */
  readonly moved$: Observable<void>;
  /** What the directory is, as of now. */
  kind(): VolumeKind;
}

/** Longest wait is 19 ms, 190 ms in all: a swap takes the kubelet far less. */
const MOST_LOOKS = 20;

const lookUntilWhole = async (directory: string, wallMs: () => number, signal: AbortSignal): Promise<VolumeRead> => {
  for (let looks = 1; ; looks += 1) {
    const look = readSecretVolume(directory, wallMs());
    if (look.type !== 'torn' || looks === MOST_LOOKS) return look;
    await delay(looks, undefined, { signal });
  }
};

interface Kept {
  readonly reading: VolumeSnapshot;
  readonly files: PairFiles | null;
  readonly isUnmoved: (() => boolean) | null;
}

const troubled = (problem: string): Kept => ({
  reading: { generation: sha256Hex(Buffer.from(problem)), hash: null, problem },
  files: null,
  isUnmoved: null,
});

const keep = (bytes: MountedBytes, isUnmoved: Kept['isUnmoved']): Kept => {
  const { certificate, key, trust } = bytes;
  const generation = mountGeneration(bytes);
  if (certificate === null) return { reading: { generation, hash: null, problem: null }, files: null, isUnmoved };
  if (key === null) {
    return { reading: { generation, hash: null, problem: 'missing: tls.key' }, files: null, isUnmoved };
  }
  const reading = { generation, hash: sha256Hex(certificate), problem: null };
  return { reading, files: { certificate, key, trust }, isUnmoved };
};

/** The directory that a Secret is mounted at. Opens nothing by itself. */
export const openMount = (directory: string, options: MountOptions = {}): Mount => {
  const { wallMs = Date.now } = options;
  let kept: Kept | null = null;
  let keptTurn = 0;
  let turns = 0;

  const read = async (signal: AbortSignal): Promise<VolumeSnapshot> => {
    const turn = ++turns;
    const look = await lookUntilWhole(directory, wallMs, signal);
    const now =
      look.type === 'read'
        ? keep(look.bytes, look.isUnmoved)
        : troubled(look.type === 'failed' ? look.problem : 'torn');
    // A reading that began earlier or that nobody waits for any more must not displace a newer one.
    if (!signal.aborted && turn > keptTurn) {
      kept = now;
      keptTurn = turn;
    }
    return now.reading;
  };

  return {
    read: () => fromAbortable(read),
    isUnmoved: () => kept?.isUnmoved?.() === true,
    files: (generation) => (kept?.reading.generation === generation ? kept.files : null),
    moved$: watchDirectory(directory, options),
    kind: () => volumeKind(directory),
  };
};

/** One hash over the three files, each preceded by its length so that no byte can wander from one to the next. */
const mountGeneration = ({ certificate, key, trust }: MountedBytes): string => {
  const hash = createHash('sha256');
  for (const bytes of [certificate, key, trust]) {
    hash.update(bytes === null ? 'absent;' : `${bytes.length};`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest('hex');
};

/**
 * A promise-making function as a cold Observable of one value. Unsubscribing aborts the signal and drops the result;
 * what the function throws is then its own affair.
 */
const fromAbortable = <T>(run: (signal: AbortSignal) => Promise<T>): Observable<T> =>
  new Observable<T>((subscriber) => {
    const abort = new AbortController();
    let settled = false;
    run(abort.signal).then(
      (value) => {
        settled = true;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        settled = true;
        if (!abort.signal.aborted) subscriber.error(error);
      },
    );
    // An abort makes an error with a stack, whether anybody listens or not.
    return () => {
      if (!settled) abort.abort();
    };
  });
