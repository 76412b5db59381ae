import { isDeepStrictEqual } from 'node:util';
import {
  NEVER,
  Subject,
  concatMap,
  delay,
  distinctUntilChanged,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  share,
  shareReplay,
  skip,
  take,
  timer,
  withLatestFrom,
} from 'rxjs';
import type { EmbeddedKubelet, KubeletOptions } from './embedded-kubelet.ts';
import type { KubeObject } from './kube-object.ts';
import { writeVolume } from './write-volume.ts';

/** A kubelet's first pause after a volume could not be set up; a real one's doubles. */
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
      // The first one is what the Pod's start waits for.
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
