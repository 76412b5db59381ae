import type { Problem } from '../../streams/problem.ts';

/** Runs an action unless the returned resource is disposed before the delay is over. */
export const after = (delayMs: number, action: () => void): Disposable => {
  const timer = setTimeout(action, delayMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
};

/**
 * Waits for a resource to open, for a limited time. A resource that opens after the limit is closed again.
 *
 * @param limitMs null: no limit
 * @throws Problem of `onTimeout` after the limit
 */
export const openWithin = async <T extends AsyncDisposable>(
  opening: Promise<T>,
  limitMs: number | null,
  onTimeout: () => Problem,
): Promise<T> => {
  if (limitMs === null) return opening;
  const timeout = Promise.withResolvers<never>();
  const timer = after(limitMs, () => {
    timeout.reject(onTimeout());
    void opening.then(
      (late) => late[Symbol.asyncDispose](),
      () => undefined,
    );
  });
  try {
    return await Promise.race([opening, timeout.promise]);
  } finally {
    timer[Symbol.dispose]();
  }
};
