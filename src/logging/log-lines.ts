import type { LoadEvent } from '../../streams/load-certificate.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { rfc3339Seconds } from '../util/time.ts';
import type { LogLevel } from './plain.ts';

/** One log line before it is written. */
export interface Line {
  readonly level: LogLevel;
  /** Identifies the kind of line; programs match on this and not on the message. */
  readonly event: LineEvent;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The event ids of all lines about the replica, with their messages. Contract, section 5: these messages do not change. */
const MESSAGES = {
  'watch-established': 'Lease watch established, monitoring for certificate updates',
  'watch-closed': 'Lease watch closed, restarting watch',
  'watch-failed': 'Watch creation failed',
  'lease-received': 'Lease watch event received',
  'lease-unreadable': 'Lease could not be read',
  'tick-checked': 'Tick checked',
  'lease-held-by-other': 'Lease is held by another identity that announces no certificate',
  'certificate-of-other-name': 'Mounted certificate is for another Service',
  'certificate-unannounced': 'No certificate announced yet',
  'announcement-unusable': 'Announcement on the Lease cannot be used',
  'certificate-mismatch': 'Certificate hash mismatch, waiting for kubelet sync',
  'certificate-rejected': 'Certificate rejected, keeping the one being served',
  'certificate-loaded': 'Certificate loaded and verified',
  'certificate-objection': 'Certificate served, but callers may refuse it',
  'handshake-failed': 'Handshake with the certificate failed, not ready',
  'served-elsewhere': 'Neighbour shows another certificate',
  'neighbour-unreachable': 'Neighbour cannot be reached',
  'neighbour-shows-no-certificate': 'Neighbour shows no certificate',
  'acknowledgement-withdrawn': 'Acknowledgement withdrawn',
  'certificate-timeout': 'Timeout waiting for webhook certificates',
  ready: 'Ready',
  'not-ready': 'Not ready',
  'kubelet-nudged': 'Kubelet nudged',
  'certificate-acknowledged': 'Certificate acknowledged',
  'pod-annotations-forbidden': 'Pod annotations are forbidden, going on without nudge and acknowledgement',
  'pod-annotation-failed': 'Pod annotation could not be written',
  'leadership-acquired': 'Leadership acquired',
  'leadership-renewed': 'Leadership renewed',
  'leadership-lost': 'Leadership lost',
  'leadership-released': 'Leadership released',
  'identity-shared': 'Another process uses this identity, set a unique POD_NAME for each replica',
  'lease-write-failed': 'Lease could not be written',
  'ca-issued': 'Certificate authority issued',
  'ca-bundle-extended': 'Trust bundle completed',
  'ca-bundle-pruned': 'Older certificate authorities dropped',
  'secret-ca-updated': 'Trust bundle published',
  'target-written': 'caBundle written',
  'certificate-issued': 'Certificate issued',
  'certificate-copied': 'Certificate copied from SOURCE_SECRET',
  'certificate-announced': 'Certificate announced',
  'certificate-served-everywhere': 'Certificate served by every replica',
  'certificate-not-served-everywhere': 'Certificate no longer noted as served by every replica',
  'ca-trusted-everywhere': 'CA of the next certificate is trusted by every caBundle',
  'rotation-request-set': 'Rotation request answered',
  'write-failed': 'Write failed',
  'ca-foreign': 'CA of another party cannot be used and is not overwritten',
  'secret-foreign': 'Secret of another party is not overwritten',
  'secret-unusable': 'Certificate in the Secret cannot be used, keeping the one announced',
  'secret-ca-partial': 'ca.crt of the Secret is readable only in part, using the rest',
  'source-unusable': 'Certificate in SOURCE_SECRET cannot be used, keeping the one that is mounted',
  'source-without-ca': 'SOURCE_SECRET has no ca.crt, leaving the caBundles as they are',
  'target-missing': 'caBundle target does not exist yet',
  'target-found': 'caBundle target found',
  'object-refused': 'Object refuses our write, setting it aside',
  'object-accepted': 'Object no longer refuses our write',
  'ca-change-waiting': 'Change of CA waits for objects that cannot be written or read',
  'ca-change-resumed': 'Change of CA no longer waits for an object',
  'trust-settling': 'Next certificate waits until every API server has taken up the caBundles',
  'object-contested': 'Object is contended by another field manager, limiting repairs to one per minute',
} as const;

export type LineEvent = keyof typeof MESSAGES;

/** Replaces the contract's message of `certificate-rejected`, which would not be true. */
const NOTHING_SERVED = 'Certificate rejected, no certificate is served yet';

/** Builds a line with the message of its event. */
export const line = (
  level: LogLevel,
  event: LineEvent,
  fields: Line['fields'] = {},
  message: string = MESSAGES[event],
): Line => ({
  level,
  event,
  message,
  fields,
});

/** What a line needs beside its event. */
export interface LineContext {
  /** Name of the Lease. */
  readonly lease: string;
  /** The announced hash. */
  readonly announced: string | null;
  /** Whether a certificate is served. */
  readonly isServing: boolean;
}

/**
 * Translates an event of the replica into log lines (contract, section 5). Pure: {@link dedupeLogLines} lowers
 * repeated lines to debug.
 */
export const logLinesFor = (event: ReplicaEvent, { lease, announced, isServing }: LineContext): readonly Line[] => {
  switch (event.type) {
    case 'watch/established':
      return [line('info', 'watch-established', { lease, resourceVersion: event.resourceVersion })];
    case 'watch/closed':
      return [line('info', 'watch-closed', { reason: event.reason })];
    case 'watch/failed': {
      const { status, error, retryInMs } = event;
      return [line(event.repeated ? 'debug' : 'warn', 'watch-failed', { status, error, retryInMs })];
    }
    case 'watch/unavailable': {
      const { object, status, error, retryInMs } = event;
      return [line(event.repeated ? 'debug' : 'warn', 'watch-failed', { object, status, error, retryInMs })];
    }
    case 'lease/observed': {
      const { announcement = null, holder = null } = event.lease ?? {};
      const { hash = null, validUntil = null } = announcement ?? {};
      return [line(event.announces ? 'info' : 'debug', 'lease-received', { hash, validUntil, holder, via: event.via })];
    }
    case 'lease/unread':
      return [line('debug', 'lease-unreadable', { status: event.status, error: event.error })];
    case 'tick/checked': {
      const hash = event.desired.lease?.announcement?.hash ?? null;
      const filesystemHash = event.desired.mounted.hash;
      const isMismatch = hash !== null && hash !== filesystemHash;
      return [
        line('debug', 'tick-checked', { hash, filesystemHash }),
        ...(isMismatch ? [line('debug', 'certificate-mismatch', { hash, filesystemHash })] : []),
      ];
    }
    case 'certificate/concluded':
      return loadLines(event.load, event.elapsedMs, isServing);
    case 'certificate/timed-out':
      return [line('error', 'certificate-timeout', { timeoutSeconds: event.timeoutMs / 1000, reason: event.reason })];
    case 'readiness/changed': {
      const { ready, reasons, served } = event.readiness;
      const hash = served?.hash ?? null;
      return [ready ? line('info', 'ready', { hash }) : line('info', 'not-ready', { hash, reasons })];
    }
    case 'kubelet/nudged':
      return [line('info', 'kubelet-nudged', { hash: event.hash })];
    case 'replica/acknowledged':
      return [line('info', 'certificate-acknowledged', { hash: event.hash })];
    case 'replica/withdrawn':
      return [line('warn', 'acknowledgement-withdrawn')];
    case 'pod/forbidden':
      return [line('warn', 'pod-annotations-forbidden', { error: event.error })];
    case 'pod/failed': {
      const { hash, status, error, retryInMs } = event;
      return [line('warn', 'pod-annotation-failed', { hash, status, error, retryInMs })];
    }
    case 'leadership/acquired':
      return [line('info', 'leadership-acquired', { lease })];
    case 'leadership/renewed':
      return [line('debug', 'leadership-renewed', { lease })];
    case 'leadership/lost':
      return [
        line('warn', 'leadership-lost', { lease, reason: event.reason }),
        ...(event.reason === 'shared-identity' ? [line('error', 'identity-shared', { lease })] : []),
      ];
    case 'leadership/released':
      return [line('info', 'leadership-released', { lease })];
    case 'leadership/failed': {
      const { status, error, retryInMs } = event;
      return [line(failureLevel(status), 'lease-write-failed', { status, error, retryInMs })];
    }
    case 'step/done':
      return [stepLine(event.step, event.touched, announced)];
    case 'step/failed': {
      const { step, status, error, retryInMs, repeated } = event;
      const level = status === 409 || repeated ? 'debug' : 'warn';
      return [line(level, 'write-failed', { step: step.kind, status, error, retryInMs })];
    }
    case 'object/refused': {
      const { object, status, error, retryInMs } = event;
      return [line('warn', 'object-refused', { object, status, error, retryInMs })];
    }
    case 'object/accepted':
      return [line('info', 'object-accepted', { object: event.object })];
    case 'ca-change/waiting':
      return event.objects.length === 0
        ? [line('info', 'ca-change-resumed')]
        : [line('warn', 'ca-change-waiting', { objects: event.objects })];
    case 'trust/settling':
      return event.untilMs === null ? [] : [line('info', 'trust-settling', { until: rfc3339Seconds(event.untilMs) })];
    case 'object/contested':
      return [line('warn', 'object-contested', { object: event.object, otherManager: event.otherManager })];
    case 'desired/changed':
    case 'cluster/observed':
      return [];
  }
};

/** A conflict means that another writer was faster, which is normal in an election. */
const failureLevel = (status: number | null): LogLevel => (status === 409 ? 'debug' : 'warn');

const loadLines = (load: LoadEvent, elapsedMs: number, isServing: boolean): readonly Line[] => {
  switch (load.type) {
    case 'certificate/unannounced':
      return load.malformed === null
        ? [line('info', 'certificate-unannounced')]
        : [line('warn', 'announcement-unusable', { reason: load.malformed })];
    case 'certificate/unmounted':
      return [line('info', 'certificate-mismatch', { hash: load.hash, filesystemHash: null })];
    case 'certificate/mismatched':
      return [line('info', 'certificate-mismatch', { hash: load.hash, filesystemHash: load.filesystemHash })];
    case 'certificate/rejected': {
      const { hash, reason } = load;
      return [line('warn', 'certificate-rejected', { hash, reason }, isServing ? undefined : NOTHING_SERVED)];
    }
    case 'certificate/served': {
      const { hash, leaf, advice } = load.pair;
      const { serial } = leaf;
      const validUntil = rfc3339Seconds(leaf.notAfterMs);
      return [
        line('info', 'certificate-loaded', { hash, serial, validUntil, elapsedMs: Math.round(elapsedMs) }),
        ...advice.map((reason) => line('warn', 'certificate-objection', { hash, reason })),
        ...(load.untrusted === null ? [] : [line('warn', 'handshake-failed', { hash, reason: load.untrusted })]),
      ];
    }
    case 'certificate/not-shown': {
      const { pair, kind, detail: reason, shown, refused } = load;
      const fields = { hash: pair.hash, ...(shown === null ? {} : { shown: shown.hash, refused }), reason };
      return [line('warn', kind, fields)];
    }
  }
};

/**
 * The line about one write of the leader. Lines that belong to a rotation carry its full hash, so that one grep finds
 * them all.
 */
const stepLine = (step: Step, touched: WriteResult | null, announced: string | null): Line => {
  const hash = announced;
  switch (step.kind) {
    case 'issue-ca':
      return line('info', 'ca-issued', { reason: step.reason, kept: step.keep.length });
    case 'extend-ca-bundle':
      return line('info', 'ca-bundle-extended', { kept: step.keep.length });
    case 'prune-ca-bundle':
      return line('info', 'ca-bundle-pruned', { hash, kept: step.keep.length });
    case 'inject': {
      const { target, trust } = step;
      return line('info', 'target-written', {
        ...(onlyRemoves(step) ? { hash } : {}),
        target,
        certificates: trust.length,
      });
    }
    case 'issue-leaf': {
      const issued = touched?.object === 'secret' ? touched.state.hash : null;
      return line('info', 'certificate-issued', { hash: issued, reason: step.reason });
    }
    case 'copy-secret':
      return line('info', 'certificate-copied', { hash: step.source.hash, certificates: step.trust.length });
    case 'announce':
      return line('info', 'certificate-announced', { ...step.announcement });
    case 'record-served':
      return step.sinceMs === null
        ? line('info', 'certificate-not-served-everywhere', { hash })
        : line('info', 'certificate-served-everywhere', { hash, since: rfc3339Seconds(step.sinceMs) });
    case 'record-trusted':
      return line('info', 'ca-trusted-everywhere', { authorities: step.trusted.cas });
    case 'set-rotation-request':
      return line('info', 'rotation-request-set', { rotate: step.rotate });
    case 'update-secret-ca':
      return line('info', 'secret-ca-updated', { hash: step.plannedOn.hash, certificates: step.trust.length });
  }
};

/**
 * Whether a caBundle is written without a new CA. Such a write ends the rotation of the announced certificate; a new CA is
 * injected before its certificate exists, so that the line can carry no hash.
 */
const onlyRemoves = ({ trust, plannedOn }: Extract<Step, { kind: 'inject' }>): boolean =>
  plannedOn.bundles.every((bundle) =>
    trust.every(({ fingerprint }) => bundle.some((certificate) => certificate.fingerprint === fingerprint)),
  );
