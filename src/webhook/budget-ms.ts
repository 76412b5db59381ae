/**
 * How long an answer may take: what the API server grants, less a margin for the way back (a tenth, at most 500 ms),
 * so that it hears our reason and not its own timeout; and never more than `ceilingMs`.
 */
export const budgetMs = (grantedMs: number | null, ceilingMs: number): number =>
  grantedMs === null ? ceilingMs : Math.max(1, Math.min(ceilingMs, grantedMs - Math.min(500, grantedMs / 10)));
