/** The `engines` of package.json. */
const NEEDED = 24;

/** Why this program does not run on a version of Node, in one sentence; null when it does. */
export const nodeVersionProblem = (version: string): string | null =>
  Number.parseInt(version, 10) >= NEEDED
    ? null
    : `webhook-certd needs Node ${NEEDED} or later, and this is Node ${version}.`;
