import { catchError, concatMap, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import * as z from 'zod';
import type { ReplicaEvent } from '../streams/replica.ts';
import { Problem } from '../streams/problem.ts';
import type { ClusterPaths } from './cluster-paths.ts';
import type { Config } from './config.ts';
import type { KubeClient } from './kube/client.ts';
import { contestedEvent } from './kube/contested-event.ts';
import type { EventObject } from './kube/contested-event.ts';
import type { Logger } from './logger.ts';
import { FIELD_MANAGER } from './object-states.ts';

const standingEvent = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  count: z.number().int().positive().catch(1),
});

/**
 * Tells the cluster what a person must settle: a caBundle that two writers fight about. One Event a target; telling it
 * again, by this leader or the next, raises its count until the API server forgets it (an hour, by default). Nothing
 * waits for it, and its failure changes nothing.
 */
export const raiseEvents = (
  client: Pick<KubeClient, 'send'>,
  paths: Pick<ClusterPaths, 'events'>,
  config: Pick<Config, 'leaseName' | 'namespace' | 'identity'>,
  logger: Pick<Logger, 'warn' | 'debug'>,
): ((event: ReplicaEvent) => void) => {
  const query = { fieldManager: FIELD_MANAGER };
  let leaseUid: string | null = null;
  let forbidden = false;

  const countAgain = ({ metadata, message, lastTimestamp }: EventObject): Observable<unknown> => {
    const path = `${paths.events}/${encodeURIComponent(metadata.name)}`;
    const patch = (body: object): Observable<unknown> =>
      client.send({ method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body });
    // A patch that changes nothing is answered with what stands there: no permission to read is needed.
    return patch({}).pipe(
      concatMap((object) => {
        const { metadata: standing, count } = standingEvent.parse(object);
        return patch({ metadata: standing, count: count + 1, message, lastTimestamp });
      }),
    );
  };

  const raise = (body: EventObject): Observable<unknown> =>
    client
      .send({ method: 'POST', path: paths.events, query, body })
      .pipe(
        catchError((error: unknown) =>
          error instanceof Problem && error.status === 409 ? countAgain(body) : throwError(() => error),
        ),
      );

  const failed = (error: unknown): void => {
    const { status, message } = error instanceof Problem ? error : { status: null, message: String(error) };
    const isNews = status === 403 && !forbidden;
    forbidden ||= status === 403;
    logger[isNews ? 'warn' : 'debug']('Event could not be written', { status, error: message });
  };

  return (event) => {
    if (event.type === 'lease/observed') leaseUid = event.lease?.uid ?? null;
    if (event.type !== 'target/contested') return;
    const { target, rival } = event;
    const body = contestedEvent({
      lease: { name: config.leaseName, namespace: config.namespace, uid: leaseUid },
      component: FIELD_MANAGER,
      instance: config.identity,
      target,
      rival,
      nowMs: Date.now(),
    });
    raise(body).subscribe({ error: failed });
  };
};
