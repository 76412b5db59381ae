import { wholeSecond } from './whole-second.ts';

/** How far a new certificate's validity reaches back (law L5), for clients whose clocks are slow. */
const BACKDATE_MS = 3_600_000;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * From an hour back to `notAfterMs`, but never past any of the certificates it hangs on.
 *
 * @throws Error when nothing would be left of it
 */
export const validity = (
  nowMs: number,
  notAfterMs: number,
  hangsOn: readonly { readonly notAfter: Date }[] = [],
): Validity => {
  const endMs = Math.min(notAfterMs, ...hangsOn.map(({ notAfter }) => notAfter.getTime()));
  if (endMs <= nowMs) throw new Error('the certificate would have expired before it is issued');
  return { notBefore: wholeSecond(nowMs - BACKDATE_MS), notAfter: wholeSecond(endMs) };
};
