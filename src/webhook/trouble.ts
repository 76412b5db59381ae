import { quieten, type Loudness } from './quieten.ts';

export type TroubleKind =
  | 'accept-failed'
  | 'answer-failed'
  | 'certificate-refused'
  | 'client-certificate'
  | 'connection-limit'
  | 'handshake-aborted'
  | 'handshake-failed'
  | 'handshake-timeout'
  | 'header-too-large'
  | 'malformed-request'
  | 'slow-body'
  | 'slow-header'
  | 'slow-reader';

/** Something a client did, or that happened to one. Each is counted; only the loud ones are worth a log line. */
export interface Trouble extends Loudness {
  readonly kind: TroubleKind;
  readonly reason: string;
}

export type ReportTrouble = (kind: TroubleKind, reason: string) => void;

export const reportTrouble = (onTrouble: (trouble: Trouble) => void): ReportTrouble => {
  const loudness = quieten();
  return (kind, reason) => onTrouble({ kind, reason, ...loudness(kind) });
};
