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
export interface Trouble {
  readonly kind: TroubleKind;
  readonly reason: string;
  /** False when this kind has been told less than a minute ago. */
  readonly loud: boolean;
  /** How many of this kind went untold since the last loud one. */
  readonly untold: number;
}

export type ReportTrouble = (kind: TroubleKind, reason: string) => void;

/** One loud report a kind and minute, so that a flood is one line and not a second flood. */
export const reportTrouble = (onTrouble: (trouble: Trouble) => void, quietMs = 60_000): ReportTrouble => {
  const last = new Map<TroubleKind, { atMs: number; untold: number }>();
  return (kind, reason) => {
    const nowMs = Date.now();
    const before = last.get(kind);
    const loud = before === undefined || nowMs - before.atMs >= quietMs;
    const untold = before?.untold ?? 0;
    last.set(kind, loud ? { atMs: nowMs, untold: 0 } : { atMs: before.atMs, untold: untold + 1 });
    onTrouble({ kind, reason, loud, untold: loud ? untold : 0 });
  };
};
