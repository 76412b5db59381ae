import type { LogLine } from './start-replica.ts';

const short = (hash: unknown): string => (typeof hash === 'string' ? hash.slice(0, 8) : 'none');

const countCas = (count: unknown): string => (count === 1 ? '1 CA' : `${String(count)} CAs`);

/** Wording of log lines for the timeline, by their event id. Other lines are left out. */
const WORDINGS: Readonly<Record<string, (line: LogLine) => string>> = {
  'leadership-acquired': () => 'is the leader',
  'leadership-lost': ({ reason }) => `lost leadership (${String(reason)})`,
  'leadership-released': () => 'released the Lease',
  'ca-issued': ({ reason }) => `issued a new CA (${String(reason)})`,
  'target-written': ({ certificates }) => `wrote the caBundle: it trusts ${countCas(certificates)}`,
  'certificate-issued': ({ hash, reason }) => `issued certificate ${short(hash)} (${String(reason)})`,
  'certificate-announced': ({ hash }) => `announced ${short(hash)} on the Lease`,
  'certificate-mismatch': ({ hash, filesystemHash }) =>
    `waits for ${short(hash)}: still mounted is ${short(filesystemHash)}`,
  'kubelet-nudged': () => 'nudged its kubelet',
  'certificate-loaded': ({ hash, elapsedMs }) =>
    `serves ${short(hash)}, ${String(elapsedMs)} ms after it was announced`,
  'certificate-rejected': ({ hash, reason }) => `rejected ${short(hash)}: ${String(reason)}`,
  'ca-bundle-pruned': () => 'removed the older CA: every replica acknowledged the new certificate',
  'watch-failed': ({ error }) => `cannot watch: ${String(error)}`,
  'fatal-error': ({ error }) => `fatal error: ${String(error)}`,
};

/** Prints one line per event: seconds since the start, source, event. */
export const timeline = (startedMs: number, print: (text: string) => void) => {
  const say = (who: string, what: string): void => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
    print(`${seconds.padStart(6)} s  ${who.padEnd(10)}  ${what}`);
  };
  return {
    say,
    tell: (who: string, line: LogLine): void => {
      const wording = WORDINGS[String(line['event'])];
      if (wording !== undefined) say(who, wording(line));
    },
  };
};
