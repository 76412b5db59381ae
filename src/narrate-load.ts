import type { LoadEvent } from '../streams/load-certificate.ts';
import { rfc3339Seconds } from './rfc3339-seconds.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const line = (level: Line['level'], message: string, fields: Line['fields'] = {}): Line => ({
  level,
  message,
  fields,
});

export const MISMATCH = 'Certificate hash mismatch, waiting for kubelet sync';

/** What a load came to. */
export const narrateLoad = (load: LoadEvent, elapsedMs: number): readonly Line[] => {
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
