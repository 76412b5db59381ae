import type { LogLine } from './start-replica.ts';

const short = (hash: unknown): string => (typeof hash === 'string' ? hash.slice(0, 8) : 'none');

const authorities = (count: unknown): string => (count === 1 ? '1 CA' : `${String(count)} CAs`);

/** What a line of a replica's log means to somebody who watches; null for what would only distract. */
const SAYINGS: Readonly<Record<string, (line: LogLine) => string>> = {
  'leadership-acquired': () => 'leads',
  'leadership-lost': ({ reason }) => `no longer leads (${String(reason)})`,
  'leadership-released': () => 'has released the Lease',
  'ca-issued': ({ reason }) => `made a new CA (${String(reason)})`,
  'target-written': ({ certificates }) => `wrote the caBundle: it trusts ${authorities(certificates)}`,
  'certificate-issued': ({ hash, reason }) => `issued certificate ${short(hash)} (${String(reason)})`,
  'certificate-announced': ({ hash }) => `announced ${short(hash)} on the Lease`,
  'certificate-mismatch': ({ hash, filesystemHash }) => `waits for ${short(hash)}: mounted is ${short(filesystemHash)}`,
  'kubelet-nudged': () => 'nudged its kubelet',
  'certificate-loaded': ({ hash, elapsedMs }) =>
    `serves ${short(hash)}, ${String(elapsedMs)} ms after it was announced`,
  'certificate-rejected': ({ hash, reason }) => `rejected ${short(hash)}: ${String(reason)}`,
  'ca-bundle-pruned': () => 'dropped the older CA: every replica has proved the new certificate',
  'watch-failed': ({ error }) => `cannot watch: ${String(error)}`,
  'fatal-error': ({ error }) => `cannot go on: ${String(error)}`,
};

/** One line of the timeline for people: seconds since the start, who, what. */
export const timeline = (startedMs: number, print: (text: string) => void) => {
  const say = (who: string, what: string): void => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
    print(`${seconds.padStart(6)} s  ${who.padEnd(10)}  ${what}`);
  };
  return {
    say,
    tell: (who: string, line: LogLine): void => {
      const saying = SAYINGS[String(line['event'])];
      if (saying !== undefined) say(who, saying(line));
    },
  };
};
