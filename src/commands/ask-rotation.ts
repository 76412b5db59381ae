import { defer, firstValueFrom, map, mergeMap, of, retry, throwError, timer } from 'rxjs';
import type { LeaseWritePort } from '../../streams/lease-queue.ts';
import type { LeasePorts } from '../../streams/lease-snapshot.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';

export interface AskedRotation {
  readonly lease: LeaseSnapshot;
  /** Somebody had asked for at least as much before, and that is what goes on. */
  readonly already: boolean;
}

const TRIES = 10;
const PAUSE_MS = 100;

/** A CA rotation brings a new leaf too: whoever asks for less gets it. */
const covers = (standing: string | null, ca: boolean): boolean =>
  standing === 'ca' || standing?.startsWith('ca/') === true || (standing === 'leaf' && !ca);

/**
 * Writes the request on the Lease, on the version it was just read in: the leader may be changing it at this moment.
 *
 * @throws Problem when there is no Lease, or it may not be read or written
 */
export const askRotation = (ports: LeasePorts & LeaseWritePort, ca: boolean): Promise<AskedRotation> =>
  firstValueFrom(
    defer(() => ports.getLease()).pipe(
      mergeMap((lease) => {
        if (lease === null) return throwError(() => new Problem('the Lease is gone', 404));
        if (covers(lease.rotate, ca)) return of({ lease, already: true });
        return ports
          .writeLease({ kind: 'ask-rotation', rotate: ca ? 'ca' : 'leaf' }, lease)
          .pipe(map((written) => ({ lease: written, already: false })));
      }),
      retry({
        count: TRIES,
        delay: (error: unknown) =>
          error instanceof Problem && error.status === 409 ? timer(PAUSE_MS) : throwError(() => error),
      }),
    ),
  );
