import { createHash } from 'node:crypto';
import { looksSecret } from '../looks-secret.ts';

/** What is told, and about which object. */
export interface Told {
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
export interface EventObject {
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
