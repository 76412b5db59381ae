import type { Problem } from './problem.ts';

const isNumber = (version: string): boolean => /^\d+$/.test(version);

/**
 * Whether one resourceVersion is older than another. They increase as numbers in every known API server; one that is not
 * a number counts as newer, so that no object is ignored because of an unusual version.
 */
export const isOlderVersion = (version: string, than: string): boolean =>
  isNumber(version) && isNumber(than) && BigInt(version) < BigInt(than);

/** Statuses that a retry may resolve: request timeout, conflict, expired version, too many requests. */
const TEMPORARY = new Set([408, 409, 410, 429]);

/**
 * Whether a failure is a rejection by the API server that lasts until something is changed (403, 404…). A lost connection,
 * a 500 or a 429 is temporary.
 */
export const isPermanentRejection = ({ status }: Pick<Problem, 'status'>): boolean =>
  status !== null && status >= 400 && status < 500 && !TEMPORARY.has(status);

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;

const DAY_MS = 86_400_000;

/** Days since the epoch of a day in the Gregorian calendar; years are counted from March, so that a leap day ends one. */
const daysOf = (year: number, month: number, day: number): number => {
  const fromMarch = (month + 9) % 12;
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * fromMarch + 2) / 5) + day - 1;
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
};

/**
 * Whether a time as it is announced (RFC 3339 in UTC with seconds) is over. False for any other text. Calculated, because
 * the core has no Date.
 */
export const isPast = (time: string, nowMs: number): boolean => {
  const match = RFC_3339.exec(time);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map(Number);
  return nowMs >= daysOf(year, month, day) * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000;
};
