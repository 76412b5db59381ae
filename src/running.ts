import { map } from 'rxjs';
import { Problem } from '../streams/problem.ts';
import type { Daemon } from './daemon.ts';
import type { Running } from './embed-types.ts';
import { withoutBytes } from './without-bytes.ts';

/** @param signal stops it, also when it has been aborted already */
export const running = (daemon: Daemon, signal: AbortSignal | undefined): Running => {
  const asked = Promise.withResolvers<null>();
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    asked.resolve(null);
    return (stopping ??= daemon.stop());
  };
  const abort = (): void => void stop();
  const failed = daemon.failed.then(
    () => new Problem('no certificate came within CERT_TIMEOUT'),
    (bug: unknown) => (bug instanceof Error ? bug : new Error(String(bug))),
  );
  const ended = async (): Promise<void> => {
    const failure = await Promise.race([asked.promise, failed]);
    await stop();
    if (failure !== null) throw failure;
  };
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  return {
    readiness$: daemon.readiness$.pipe(
      map((now) => ({ ...now, served: now.served === null ? null : withoutBytes(now.served) })),
    ),
    closed: ended(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
};
