import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Observable } from 'rxjs';
import type { VolumeSnapshot } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { type MountedBytes, readSecretVolume, type VolumeKind, volumeKind, type VolumeRead } from './secret-volume.ts';
import type { PairFiles } from './verify-pair.ts';
import { watchDirectory, type WatchOptions } from './watch-directory.ts';

interface MountOptions extends WatchOptions {
  /** Ms since the epoch. */
  readonly wallMs?: () => number;
}

export interface Mount {
  /**
   * Reads one whole generation on each subscription. Never errs: a failure is the `problem` of the snapshot, one of
   * `torn`, `missing: tls.key`, `too-large: FILE`, `not-a-file: FILE`, `unreadable: FILE ERRNO`.
   */
  read(): Observable<VolumeSnapshot>;
  /** Whether nothing has changed since the last reading, by a stat of each file; false when unknown. */
  isUnmoved(): boolean;
  /** The bytes of the last reading, or null when they are of another generation. */
  files(generation: string): PairFiles | null;
  /** Emits when something in the directory changed. Never errs, and may never emit: callers must poll as well. */
  readonly moved$: Observable<void>;
  /** Detects what kind of directory is mounted now. */
  kind(): VolumeKind;
}

/** Reads until one is whole. The longest pause is 19 ms, 190 ms in all; the kubelet's swap takes far less. */
const MAX_ATTEMPTS = 20;

const readUntilWhole = async (directory: string, wallMs: () => number, signal: AbortSignal): Promise<VolumeRead> => {
  for (let attempt = 1; ; attempt += 1) {
    const read = readSecretVolume(directory, wallMs());
    if (read.type !== 'torn' || attempt === MAX_ATTEMPTS) return read;
    await delay(attempt, undefined, { signal });
  }
};

interface Kept {
  readonly reading: VolumeSnapshot;
  readonly files: PairFiles | null;
  readonly isUnmoved: (() => boolean) | null;
}

const failedReading = (problem: string): Kept => ({
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

/** Opens the directory that a Secret is mounted at. Reads and watches only on subscription. */
export const openMount = (directory: string, options: MountOptions = {}): Mount => {
  const { wallMs = Date.now } = options;
  let kept: Kept | null = null;
  let keptTurn = 0;
  let turns = 0;

  const read = async (signal: AbortSignal): Promise<VolumeSnapshot> => {
    const turn = ++turns;
    const result = await readUntilWhole(directory, wallMs, signal);
    const now =
      result.type === 'read'
        ? keep(result.bytes, result.isUnmoved)
        : failedReading(result.type === 'failed' ? result.problem : 'torn');
    // A reading that began earlier, or that was unsubscribed, must not replace a newer one.
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

/** Hashes the three files, each preceded by its length, so that a byte moved from one file to the next changes the hash. */
const mountGeneration = ({ certificate, key, trust }: MountedBytes): string => {
  const hash = createHash('sha256');
  for (const bytes of [certificate, key, trust]) {
    hash.update(bytes === null ? 'absent;' : `${bytes.length};`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest('hex');
};

/**
 * Turns an async function into a cold Observable of one value. Unsubscribing aborts the signal and drops the result and
 * any error.
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
    // An abort creates an error with a stack, even without a listener.
    return () => {
      if (!settled) abort.abort();
    };
  });
