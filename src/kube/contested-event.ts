import { createHash } from 'node:crypto';

/** A caBundle that somebody else keeps rewriting, as it is told to the people of the cluster. */
export interface ContestedTarget {
  readonly lease: { readonly name: string; readonly namespace: string; readonly uid: string | null };
  /** Which component tells it, and which of its replicas. */
  readonly component: string;
  readonly instance: string;
  /** `TYPE/NAME` as in CA_BUNDLE_TARGETS. */
  readonly target: string;
  /** The other field manager; null when it leaves no name, as one that removes the field. */
  readonly rival: string | null;
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
const LONGEST = 253;

/** The same for every replica and every leader, so that one target has one Event, however often it is told. */
const nameOf = ({ lease, target }: ContestedTarget): string => {
  const hash = createHash('sha256').update(target).digest('hex').slice(0, 16);
  const beginning = lease.name.slice(0, LONGEST - hash.length - 1).replace(/[-.]+$/, '');
  return `${beginning}.${hash}`;
};

const messageOf = ({ target, rival }: ContestedTarget): string => {
  const who = rival === null ? 'somebody without a field manager' : `field manager ${JSON.stringify(rival)}`;
  return `caBundle of ${target} is rewritten again and again by ${who}; it is repaired once a minute`;
};

/** A Warning about the Lease, which is where `kubectl describe lease` shows it. */
export const contestedEvent = (contested: ContestedTarget): EventObject => {
  const { lease, component, instance, nowMs } = contested;
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: nameOf(contested) },
    involvedObject: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      name: lease.name,
      namespace: lease.namespace,
      ...(lease.uid === null ? {} : { uid: lease.uid }),
    },
    type: 'Warning',
    reason: 'CaBundleContested',
    message: messageOf(contested),
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component },
    reportingComponent: component,
    reportingInstance: instance,
  };
};
