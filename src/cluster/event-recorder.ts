import { createHash } from 'node:crypto';
import { catchError, concatMap, defer, EMPTY, map, type Observable, of, Subject, tap, throwError } from 'rxjs';
import * as z from 'zod/mini';
import { Problem } from '../../streams/problem.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import type { Logger } from '../logging/logger.ts';
import { looksSecret } from '../util/redact.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { eventReasons, type RecordedEvent } from './event-reasons.ts';
import type { ClusterPaths } from './paths.ts';

const existingEvent = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  count: z.catch(z.int().check(z.positive()), 1),
});
const identified = z.object({ metadata: z.object({ uid: z.string() }) });

/** Limit of queued Events: they are read by people, and outdated ones are of no use. */
const MAX_QUEUED = 16;

const query = { fieldManager: FIELD_MANAGER };

/**
 * Records Kubernetes Events on the Lease and on this replica's Pod. Repeating an Event, by this replica or the next leader,
 * raises its count until the API server deletes it (after an hour, by default). Nothing waits for an Event, and a failed
 * write of one has no other effect than a log line.
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

  // The answer to a patch that changes nothing is the object: no permission to read is needed.
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
        const { metadata: existing, count } = existingEvent.parse(object);
        return patch(path, { metadata: existing, count: count + 1, message, lastTimestamp });
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
    logger[isNews ? 'warn' : 'debug']('Event could not be written', {
      status,
      error: message,
      event: 'event-unwritten',
    });
  };

  const record = ({ about, ...content }: RecordedEvent): Observable<unknown> => {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: leaseName, namespace };
    const pod = { apiVersion: 'v1', kind: 'Pod', name: identity, namespace };
    const about$ = about === 'lease' ? of({ ...lease, uid: leaseUid }) : podUid$.pipe(map((uid) => ({ ...pod, uid })));
    const from = { component: FIELD_MANAGER, instance: identity, nowMs: Date.now() };
    return about$.pipe(concatMap((object) => raise(eventObject({ ...content, ...from, about: object }))));
  };

  const recorded$ = new Subject<RecordedEvent>();
  // One after the other, so that two of the same name are counted instead of conflicting.
  recorded$
    .pipe(
      concatMap((recorded) =>
        record(recorded).pipe(
          catchError((error: unknown) => {
            failed(error);
            return EMPTY;
          }),
          tap({ finalize: () => (waiting -= 1) }),
        ),
      ),
    )
    .subscribe();

  const select = eventReasons();
  return (event) => {
    if (event.type === 'lease/observed') leaseUid = event.lease?.uid ?? null;
    const found = select(event);
    if (found === null || waiting >= MAX_QUEUED) return;
    waiting += 1;
    recorded$.next(found);
  };
};

/** The content of one Event. */
interface EventContent {
  readonly about: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
    /** Null when unknown; `kubectl describe` then does not show the Event, `kubectl get events` does. */
    readonly uid: string | null;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** Events of the same object, reason and key are one Event that is counted. */
  readonly key: string;
  readonly message: string;
  /** The reporting component, and its replica. */
  readonly component: string;
  readonly instance: string;
  readonly nowMs: number;
}

/** The fields of a core/v1 Event that are written here. */
interface EventObject {
  readonly metadata: { readonly name: string };
  readonly message: string;
  readonly count: number;
  readonly lastTimestamp: string;
  readonly [field: string]: unknown;
}

/** Limit of an object's name, in characters. */
const MAX_NAME_LENGTH = 253;
/** Limit of a message, in characters: it may have 1 kB, and a character can take four bytes. */
const MAX_MESSAGE_LENGTH = 250;

/** Derives the name of an Event. Every replica derives the same one, so that repetitions are counted in one Event. */
const nameOf = ({ about, reason, key }: EventContent): string => {
  const digest = createHash('sha256')
    .update(JSON.stringify([about.kind, reason, key]))
    .digest('hex')
    .slice(0, 16);
  const beginning = about.name.slice(0, MAX_NAME_LENGTH - digest.length - 1).replace(/[-.]+$/, '');
  return `${beginning}.${digest}`;
};

const safeMessage = (message: string): string => {
  if (looksSecret(message)) return '[redacted]';
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
};

/** Builds an Event in the namespace of its object, which is where `kubectl describe` looks for it. */
export const eventObject = (content: EventContent): EventObject => {
  const { about, type, reason, message, component, instance, nowMs } = content;
  const { uid, ...named } = about;
  const now = rfc3339Seconds(nowMs);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: nameOf(content) },
    involvedObject: { ...named, ...(uid === null ? {} : { uid }) },
    type,
    reason,
    message: safeMessage(message),
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component },
    reportingComponent: component,
    reportingInstance: instance,
  };
};
