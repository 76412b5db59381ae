import type { ReplicaEvent } from '../streams/replica.ts';
import { MISMATCH, line, narrateLoad } from './narrate-load.ts';
import type { Line } from './narrate-load.ts';
import { narrateStep } from './narrate-step.ts';

/**
 * The one place where events become log lines (contract, section 5). Pure; what has been told already is for
 * `tell-once` to know.
 *
 * @param lease name of the Lease
 * @param announced the hash that is announced
 */
export const narrate = (event: ReplicaEvent, lease: string, announced: string | null = null): readonly Line[] => {
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
    case 'wanted/changed':
      return [];
    case 'tick/checked': {
      const hash = event.wanted.lease?.announcement?.hash ?? null;
      const filesystemHash = event.wanted.mounted.hash;
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
      const { step, status, error } = event;
      return [line(status === 409 ? 'debug' : 'warn', 'Write failed', { step: step.kind, status, error })];
    }
    case 'object/contested': {
      const { object, rival } = event;
      return [line('warn', 'Somebody else keeps rewriting an object, repairing it once a minute', { object, rival })];
    }
    case 'object/unwatched': {
      const { object, status, error, retryInMs } = event;
      return [line('warn', 'Watch creation failed', { object, status, error, retryInMs })];
    }
    case 'cluster/observed':
      return [];
  }
};
