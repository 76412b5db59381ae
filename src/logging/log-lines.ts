import type { LoadEvent } from '../../streams/load-certificate.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { rfc3339Seconds } from '../util/time.ts';

/**
 * The one place where events become log lines (contract, section 5). Pure; what has been told already is for
 * `tell-once` to know.
 *
 * @param lease name of the Lease
 * @param announced the hash that is announced
 */
export const logLinesFor = (event: ReplicaEvent, lease: string, announced: string | null = null): readonly Line[] => {
  switch (event.type) {
    case 'watch/established': {
      const { resourceVersion } = event;
      return [line('info', 'Lease watch established, monitoring for certificate updates', { lease, resourceVersion })];
    }
    case 'watch/closed':
      return [line('info', 'Lease watch closed, restarting watch', { reason: event.reason })];
    case 'watch/failed': {
      const { status, error, retryInMs } = event;
      return [line('warn', 'Watch creation failed', { status, error, retryInMs })];
    }
    case 'lease/observed': {
      const { announcement, holder } = event.lease ?? { announcement: null, holder: null };
      const fields = {
        hash: announcement?.hash ?? null,
        validUntil: announcement?.validUntil ?? null,
        holder,
        via: event.via,
      };
      return [line(event.announces ? 'info' : 'debug', 'Lease watch event received', fields)];
    }
    case 'lease/unread':
      return [line('debug', 'Lease could not be read', { status: event.status, error: event.error })];
    case 'desired/changed':
      return [];
    case 'tick/checked': {
      const hash = event.desired.lease?.announcement?.hash ?? null;
      const filesystemHash = event.desired.mounted.hash;
      const mismatch = hash !== null && hash !== filesystemHash;
      return [
        line('debug', 'Tick checked', { hash, filesystemHash }),
        ...(mismatch ? [line('debug', MISMATCH, { hash, filesystemHash })] : []),
      ];
    }
    case 'certificate/concluded':
      return narrateLoad(event.load, event.elapsedMs);
    case 'certificate/timed-out': {
      const { timeoutMs, reason } = event;
      return [line('error', 'Timeout waiting for webhook certificates', { timeoutSeconds: timeoutMs / 1000, reason })];
    }
    case 'readiness/changed': {
      const { ready, reasons, served } = event.readiness;
      return [
        line('info', ready ? 'Ready' : 'Not ready', { hash: served?.hash ?? null, ...(ready ? {} : { reasons }) }),
      ];
    }
    case 'kubelet/nudged':
      return [line('info', 'Kubelet nudged', { hash: event.hash })];
    case 'replica/acknowledged':
      return [line('info', 'Certificate acknowledged', { hash: event.hash })];
    case 'pod/forbidden':
      return [
        line('warn', 'Pod annotations are forbidden, going on without nudge and acknowledgement', {
          error: event.error,
        }),
      ];
    case 'pod/failed': {
      const { hash, status, error, retryInMs } = event;
      return [line('warn', 'Pod annotation could not be written', { hash, status, error, retryInMs })];
    }
    case 'leadership/acquired':
      return [line('info', 'Leadership acquired', { lease })];
    case 'leadership/renewed':
      return [line('debug', 'Leadership renewed', { lease })];
    case 'leadership/lost':
      return [line('warn', 'Leadership lost', { lease, reason: event.reason })];
    case 'leadership/released':
      return [line('info', 'Leadership released', { lease })];
    case 'leadership/failed': {
      const { status, error, retryInMs } = event;
      // Somebody else was quicker: that is how an election works.
      return [line(status === 409 ? 'debug' : 'warn', 'Lease could not be written', { status, error, retryInMs })];
    }
    case 'step/done': {
      const { message, fields } = narrateStep(event.step, event.touched, announced);
      return [line('info', message, fields)];
    }
    case 'step/failed': {
      const { step, status, error, retryInMs, repeated } = event;
      const level = status === 409 || repeated ? 'debug' : 'warn';
      return [line(level, 'Write failed', { step: step.kind, status, error, retryInMs })];
    }
    case 'object/refused': {
      const { object, status, error, retryInMs } = event;
      return [line('warn', 'Object refuses our write, setting it aside', { object, status, error, retryInMs })];
    }
    case 'object/accepted':
      return [line('info', 'Object no longer refuses our write', { object: event.object })];
    case 'ca-change/waiting': {
      const { objects } = event;
      return objects.length === 0
        ? [line('info', 'Change of CA no longer waits for an object')]
        : [line('warn', 'Change of CA waits for objects that refuse our write', { objects })];
    }
    case 'object/contested': {
      const { object, otherManager } = event;
      return [
        line('warn', 'Object is contended by another field manager, limiting repairs to one per minute', {
          object,
          otherManager,
        }),
      ];
    }
    case 'watch/unavailable': {
      const { object, status, error, retryInMs } = event;
      return [line('warn', 'Watch creation failed', { object, status, error, retryInMs })];
    }
    case 'cluster/observed':
      return [];
  }
};

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const line = (level: Line['level'], message: string, fields: Line['fields'] = {}): Line => ({
  level,
  message,
  fields,
});

const MISMATCH = 'Certificate hash mismatch, waiting for kubelet sync';

/** What a load came to. */
const narrateLoad = (load: LoadEvent, elapsedMs: number): readonly Line[] => {
  switch (load.type) {
    case 'certificate/unannounced':
      return load.malformed === null
        ? [line('info', 'No certificate announced yet')]
        : [line('warn', 'Announcement on the Lease cannot be used', { reason: load.malformed })];
    case 'certificate/unmounted':
      return [line('info', MISMATCH, { hash: load.hash, filesystemHash: null })];
    case 'certificate/mismatched':
      return [line('info', MISMATCH, { hash: load.hash, filesystemHash: load.filesystemHash })];
    case 'certificate/rejected': {
      const { hash, reason } = load;
      return [line('warn', 'Certificate rejected, keeping the one being served', { hash, reason })];
    }
    case 'certificate/served': {
      const { hash, leaf, advice } = load.pair;
      const validUntil = rfc3339Seconds(leaf.notAfterMs);
      return [
        line('info', 'Certificate loaded and verified', {
          hash,
          serial: leaf.serial,
          validUntil,
          elapsedMs: Math.round(elapsedMs),
        }),
        ...advice.map((reason) => line('warn', 'Certificate served, but callers may refuse it', { hash, reason })),
        ...(load.untrusted === null
          ? []
          : [line('warn', 'Handshake with the certificate failed, not ready', { hash, reason: load.untrusted })]),
      ];
    }
  }
};

const MESSAGES: Readonly<Record<Step['kind'], string>> = {
  'issue-ca': 'Certificate authority issued',
  'extend-ca-bundle': 'Trust bundle completed',
  inject: 'caBundle written',
  'issue-leaf': 'Certificate issued',
  announce: 'Certificate announced',
  'record-served': 'Certificate served by every replica',
  'set-rotation-request': 'Rotation request answered',
  'prune-ca-bundle': 'Older certificate authorities dropped',
  'update-secret-ca': 'Trust bundle published',
};

const UNMARKED = 'Certificate no longer noted as served by every replica';

/** Widening comes before there is a certificate that it could be told by; narrowing ends the rotation of one. */
const narrows = ({ trust, plannedOn: plannedOn }: Extract<Step, { kind: 'inject' }>): boolean =>
  plannedOn.bundles.every((bundle) =>
    trust.every(({ fingerprint }) => bundle.some((certificate) => certificate.fingerprint === fingerprint)),
  );

const fieldsOf = (step: Step, touched: WriteResult | null, hash: string | null): Readonly<Record<string, unknown>> => {
  switch (step.kind) {
    case 'issue-ca':
      return { reason: step.reason, kept: step.keep.length };
    case 'extend-ca-bundle':
      return { kept: step.keep.length };
    case 'prune-ca-bundle':
      return { hash, kept: step.keep.length };
    case 'inject': {
      const { target, trust } = step;
      return { ...(narrows(step) ? { hash } : {}), target, certificates: trust.length };
    }
    case 'issue-leaf':
      return { hash: touched?.object === 'secret' ? touched.state.hash : null, reason: step.reason };
    case 'announce':
      return { ...step.announcement };
    case 'record-served':
      return { hash, ...(step.sinceMs === null ? {} : { since: rfc3339Seconds(step.sinceMs) }) };
    case 'set-rotation-request':
      return { rotate: step.rotate };
    case 'update-secret-ca':
      return { hash: step.plannedOn.hash, certificates: step.trust.length };
  }
};

/**
 * One write of the leader as message and fields; the verb of the message tells whether it has happened.
 *
 * @param hash what is announced, which is what the end of a rotation is told by
 */
export const narrateStep = (
  step: Step,
  touched: WriteResult | null,
  hash: string | null = null,
): { readonly message: string; readonly fields: Readonly<Record<string, unknown>> } => ({
  message: step.kind === 'record-served' && step.sinceMs === null ? UNMARKED : MESSAGES[step.kind],
  fields: fieldsOf(step, touched, hash),
});
