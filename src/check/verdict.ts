export type Status = 'ok' | 'warn' | 'fail' | 'skipped';

/** What one look at one thing came to. */
export interface Verdict {
  /** What is checked, in words that stand alone on their line. */
  readonly name: string;
  readonly status: Status;
  /** One line: what was found, or what is wrong. */
  readonly detail: string;
  /** A command that mends it, ready to be pasted into a shell; null when all is well. */
  readonly remedy: string | null;
}

/** Makes verdicts. What is not well always says how it is mended. */
export const verdict = {
  ok: (name: string, detail: string): Verdict => ({ name, status: 'ok', detail, remedy: null }),
  warn: (name: string, detail: string, remedy: string): Verdict => ({ name, status: 'warn', detail, remedy }),
  fail: (name: string, detail: string, remedy: string): Verdict => ({ name, status: 'fail', detail, remedy }),
  skipped: (name: string, why: string): Verdict => ({ name, status: 'skipped', detail: why, remedy: null }),
} as const;
