import { createHash } from 'node:crypto';
import { catchError, concatMap, defer, EMPTY, map, type Observable, of, Subject, tap, throwError } from 'rxjs';
import * as z from 'zod/mini';
import { Problem } from '../../streams/problem.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../logging/logger.ts';
import { looksSecret } from '../util/redact.ts';
import { eventReasons, type Notice } from './event-reasons.ts';
import { FIELD_MANAGER } from './field-manager.ts';
import type { ClusterPaths } from './paths.ts';

const standingEvent = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  count: z.catch(z.int().check(z.positive()), 1),
});
const identified = z.object({ metadata: z.object({ uid: z.string() }) });

/** Events are for people: what cannot be told soon is not worth telling. */
const MOST_WAITING = 16;

const query = { fieldManager: FIELD_MANAGER };

/**
 * Tells the people of the cluster what happens, as Events on the Lease and on the own Pod. Each matter is one Event;
 * telling it again, by this replica or the next leader, raises its count until the API server forgets it (an hour, by
 * default). Nothing waits for it, and its failure changes nothing.
 */
export const recordEvents = (
  client: Pick<KubeClient, 'send'>,
  paths: Pick<ClusterPaths, 'events' | 'pod'>,
  config: Pick<Config, 'leaseName' | 'namespace' | 'identity' | 'kubeletNudge'>,
  logger: Pick<Logger, 'warn' | 'debug'>,
): ((event: ReplicaEvent) => void) => {
  const { leaseName, namespace, identity } = config;
  let leaseUid: string | null = null;
  let podUid: string | null = null;
  let podIsForbidden = !config.kubeletNudge;
  let eventsAreForbidden = false;
  let waiting = 0;

  // A patch that changes nothing is answered with what stands there: no permission to read is needed.
  const patch = (path: string, body: object): Observable<unknown> =>
    client.send({ method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body });

  const podUid$ = defer(() => {
    if (podUid !== null || podIsForbidden) return of(podUid);
    return patch(`${paths.pod}/status`, {}).pipe(
      map((pod) => (podUid = identified.parse(pod).metadata.uid)),
      catchError((error: unknown) => {
        podIsForbidden = error instanceof Problem && error.status === 403;
        return of(null);
      }),
    );
  });

  const countAgain = ({ metadata, message, lastTimestamp }: EventObject): Observable<unknown> => {
    const path = `${paths.events}/${encodeURIComponent(metadata.name)}`;
    return patch(path, {}).pipe(
      concatMap((object) => {
        const { metadata: standing, count } = standingEvent.parse(object);
        return patch(path, { metadata: standing, count: count + 1, message, lastTimestamp });
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
    const isNews = status === 403 && !eventsAreForbidden;
    eventsAreForbidden ||= status === 403;
    logger[isNews ? 'warn' : 'debug']('Event could not be written', { status, error: message });
  };

  const tell = ({ about, ...notice }: Notice): Observable<unknown> => {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: leaseName, namespace };
    const pod = { apiVersion: 'v1', kind: 'Pod', name: identity, namespace };
    const about$ = about === 'lease' ? of({ ...lease, uid: leaseUid }) : podUid$.pipe(map((uid) => ({ ...pod, uid })));
    const from = { component: FIELD_MANAGER, instance: identity, nowMs: Date.now() };
    return about$.pipe(concatMap((object) => raise(eventObject({ ...notice, ...from, about: object }))));
  };

  const notice$ = new Subject<Notice>();
  // One after the other, so that two of one matter are counted and do not meet.
  notice$
    .pipe(
      concatMap((notice) =>
        tell(notice).pipe(
          catchError((error: unknown) => {
            failed(error);
            return EMPTY;
          }),
          tap({ finalize: () => (waiting -= 1) }),
        ),
      ),
    )
    .subscribe();

  const notice = eventReasons();
  return (event) => {
    if (event.type === 'lease/observed') leaseUid = event.lease?.uid ?? null;
    const found = notice(event);
    if (found === null || waiting >= MOST_WAITING) return;
    waiting += 1;
    notice$.next(found);
  };
};

/** What is told, and about which object. */
interface Told {
  readonly about: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
    /** Null when it is not known; `kubectl describe` then does not show the Event, `kubectl get events` does. */
    readonly uid: string | null;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** What is told of the same object for the same reason under the same key is one Event that is counted. */
  readonly key: string;
  readonly message: string;
  /** Which component tells it, and which of its replicas. */
  readonly component: string;
  readonly instance: string;
  readonly nowMs: number;
}

/** A core/v1 Event, as far as it is ever written here. */
interface EventObject {
  readonly metadata: { readonly name: string };
  readonly message: string;
  readonly count: number;
  readonly lastTimestamp: string;
  readonly [field: string]: unknown;
}

/** The name of an object is at most 253 characters. */
const LONGEST_NAME = 253;
/** A message may have 1 kB; characters can take four bytes. */
const LONGEST_MESSAGE = 250;

/** The same for every replica and every leader, so that one matter has one Event, however often it is told. */
const nameOf = ({ about, reason, key }: Told): string => {
  const matter = createHash('sha256')
    .update(JSON.stringify([about.kind, reason, key]))
    .digest('hex')
    .slice(0, 16);
  const beginning = about.name.slice(0, LONGEST_NAME - matter.length - 1).replace(/[-.]+$/, '');
  return `${beginning}.${matter}`;
};

const tellable = (message: string): string => {
  if (looksSecret(message)) return '[redacted]';
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 1)}…`;
};

/** An Event in the namespace of what it is about, which is where `kubectl describe` looks for it. */
export const eventObject = (told: Told): EventObject => {
  const { about, type, reason, message, component, instance, nowMs } = told;
  const { uid, ...named } = about;
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: nameOf(told) },
    involvedObject: { ...named, ...(uid === null ? {} : { uid }) },
    type,
    reason,
    message: tellable(message),
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component },
    reportingComponent: component,
    reportingInstance: instance,
  };
};
