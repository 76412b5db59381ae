import type { GetResult } from './get.ts';
import { shellQuote } from './kubectl.ts';

export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skipped';

/** The outcome of one check. */
export interface CheckResult {
  /** The property that is checked, phrased so that it can be read alone. */
  readonly name: string;
  readonly status: CheckStatus;
  /** One line: the value found, or the problem. */
  readonly detail: string;
  /** A shell command that fixes the problem; null for `ok` and `skipped`. */
  readonly remedy: string | null;
}

export const ok = (name: string, detail: string): CheckResult => ({ name, status: 'ok', detail, remedy: null });

/** The installation works, but not as intended. */
export const warn = (name: string, detail: string, remedy: string): CheckResult => ({
  name,
  status: 'warn',
  detail,
  remedy,
});

/** Calls fail, or will fail. */
export const fail = (name: string, detail: string, remedy: string): CheckResult => ({
  name,
  status: 'fail',
  detail,
  remedy,
});

/** The check does not apply, or cannot be made. */
export const skipped = (name: string, detail: string): CheckResult => ({
  name,
  status: 'skipped',
  detail,
  remedy: null,
});

/** The result for an object that could not be read. A missing permission is reported by the permission checks. */
export const unreadable = (
  name: string,
  object: Exclude<GetResult<unknown>, { readonly state: 'there' }>,
  path: string,
): CheckResult =>
  object.state === 'forbidden'
    ? skipped(name, `not readable with these permissions: ${object.why}`)
    : fail(name, object.why, `kubectl get --raw ${shellQuote(path)}`);
