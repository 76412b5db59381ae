import { randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  concatMap,
  delay,
  distinctUntilChanged,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  NEVER,
  share,
  shareReplay,
  skip,
  Subject,
  take,
  timer,
  withLatestFrom,
} from 'rxjs';
import type { KubeObject } from './kube-object.ts';
import type { Follow } from './object-store.ts';

export interface KubeletOptions {
  /** The API server, embedded or any other that lets objects be followed. */
  readonly server: { readonly follow: Follow };
  readonly namespace: string;
  readonly podName: string;
  readonly secretName: string;
  /** The mounted volume, created when absent. */
  readonly directory: string;
  /** Time from a change of the Secret to its delivery; about a minute for a real kubelet. Infinity: only when nudged. */
  readonly delayMs: number;
  /** Time from a change of the Pod's annotations to a delivery. Default 100 ms. */
  readonly nudgeDelayMs?: number;
  /**
   * `secret.optional` of the volume, default true: an absent or deleted Secret yields an empty volume.
   * False: an absent Secret is awaited, and a deleted one keeps the last content.
   */
  readonly isOptional?: boolean;
}

/** The part of a kubelet that maintains one Secret volume of one Pod. */
export interface EmbeddedKubelet extends AsyncDisposable {
  /** May be set at any time; applies to later changes. */
  delayMs: number;
  /** Number of changes of the volume's content. */
  readonly deliveries: number;
}

/** Pause after a failed delivery; the pause of a real kubelet doubles. */
const RETRY_MS = 500;

const payloadOf = (secret: KubeObject | null): ReadonlyMap<string, Uint8Array> => {
  const content = (secret?.['data'] ?? {}) as Readonly<Record<string, string>>;
  return new Map(Object.entries(content).map(([name, text]) => [name, Buffer.from(text, 'base64')]));
};

/**
 * Mounts the Secret at once, as for a Pod that starts, and resolves when that is done; from then on delivers as a
 * kubelet does: what the Secret is when the delivery falls due, not what it was when it was scheduled.
 *
 * ```
 * secret   a-----b-c-----------------
 * pod      p-------------q-----------   (q: other annotations)
 * volume   a----------c--c-----------   (b's delivery finds c; the nudge finds nothing new)
 * ```
 */
export const startKubelet = async (options: KubeletOptions): Promise<EmbeddedKubelet> => {
  const { server, namespace, podName, secretName, directory, nudgeDelayMs = 100, isOptional = true } = options;
  let delayMs = options.delayMs;
  let deliveries = 0;

  const secret$ = server.follow('secrets', namespace, secretName).pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const annotations$ = server.follow('pods', namespace, podName).pipe(
    map((pod) => pod?.metadata.annotations ?? {}),
    distinctUntilChanged((a, b) => isDeepStrictEqual(a, b)),
  );
  const failed$ = new Subject<void>();
  let isMounted = false;
  const due$ = merge(
    failed$.pipe(delay(RETRY_MS)),
    secret$.pipe(take(1)),
    secret$.pipe(
      skip(1),
      mergeMap(() => (delayMs === Infinity ? NEVER : timer(delayMs))),
    ),
    annotations$.pipe(
      skip(1),
      mergeMap(() => timer(nudgeDelayMs)),
    ),
  );
  const deliver = async (secret: KubeObject | null): Promise<void> => {
    if (secret === null && !isOptional) return;
    try {
      if (await writeVolume(directory, payloadOf(secret))) deliveries += 1;
    } catch (error) {
      // The Pod does not start before the first delivery.
      if (!isMounted) throw error;
      failed$.next();
    }
  };
  let delivery = Promise.resolve();
  const delivered$ = due$.pipe(
    withLatestFrom(secret$),
    concatMap(([, secret]) => (delivery = deliver(secret))),
    share(),
  );
  const mounted = firstValueFrom(delivered$);
  const subscription = delivered$.subscribe();
  await mounted;
  isMounted = true;

  return {
    get delayMs() {
      return delayMs;
    },
    set delayMs(value) {
      delayMs = value;
    },
    get deliveries() {
      return deliveries;
    },
    [Symbol.asyncDispose]: async () => {
      subscription.unsubscribe();
      await delivery;
    },
  };
};

/** The content of a volume: file names and their bytes. */
type Payload = ReadonlyMap<string, Uint8Array>;

const orMissing = (error: unknown): null => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
};

const hasContent = async (folder: string, payload: Payload): Promise<boolean> => {
  const names = await readdir(folder);
  if (names.length !== payload.size) return false;
  const same = [...payload].map(async ([name, bytes]) => {
    const found = await readFile(join(folder, name)).catch(orMissing);
    return found !== null && Buffer.compare(found, bytes) === 0;
  });
  return (await Promise.all(same)).every(Boolean);
};

/** As Go's `2006_01_02_15_04_05.` followed by TempDir's digits. */
const timestamp = () => `..${new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_')}.${randomInt(1e9)}`;

/**
 * Updates a volume in the same steps as the kubelet's AtomicWriter: a new timestamped folder, a link for each new file,
 * then one rename of `..data`; stale links and the old folder are removed last. Files have mode 0644.
 *
 * @returns false when the volume already had this content and was not changed
 */
export const writeVolume = async (directory: string, payload: Payload): Promise<boolean> => {
  await mkdir(directory, { recursive: true });
  const current = await readlink(join(directory, '..data')).catch(orMissing);
  if (current !== null && (await hasContent(join(directory, current), payload))) return false;
  const stale = current === null ? [] : (await readdir(join(directory, current))).filter((name) => !payload.has(name));

  const fresh = timestamp();
  await mkdir(join(directory, fresh), { mode: 0o755 });
  for (const [name, bytes] of payload) await writeFile(join(directory, fresh, name), bytes, { mode: 0o644 });
  for (const name of payload.keys()) {
    const link = join(directory, name);
    if ((await readlink(link).catch(orMissing)) === null) await symlink(join('..data', name), link);
  }
  await symlink(fresh, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  for (const name of stale) await unlink(join(directory, name));
  if (current !== null) await rm(join(directory, current), { recursive: true });
  return true;
};
