import type { LogLine } from './start-replica.ts';

const short = (hash: unknown): string => (typeof hash === 'string' ? hash.slice(0, 8) : 'none');

const countCas = (count: unknown): string => (count === 1 ? '1 CA' : `${String(count)} CAs`);

/** Wording of log messages for the timeline. Other messages are left out. */
const WORDINGS: Readonly<Record<string, (line: LogLine) => string>> = {
  'Leadership acquired': () => 'is the leader',
  'Leadership lost': ({ reason }) => `lost leadership (${String(reason)})`,
  'Leadership released': () => 'released the Lease',
  'Certificate authority issued': ({ reason }) => `issued a new CA (${String(reason)})`,
  'caBundle written': ({ certificates }) => `wrote the caBundle: it trusts ${countCas(certificates)}`,
  'Certificate issued': ({ hash, reason }) => `issued certificate ${short(hash)} (${String(reason)})`,
  'Certificate announced': ({ hash }) => `announced ${short(hash)} on the Lease`,
  'Certificate hash mismatch, waiting for kubelet sync': ({ hash, filesystemHash }) =>
    `waits for ${short(hash)}: still mounted is ${short(filesystemHash)}`,
  'Kubelet nudged': () => 'nudged its kubelet',
  'Certificate loaded and verified': ({ hash, elapsedMs }) =>
    `serves ${short(hash)}, ${String(elapsedMs)} ms after it was announced`,
  'Certificate rejected, keeping the one being served': ({ hash, reason }) =>
    `rejected ${short(hash)}: ${String(reason)}`,
  'Older certificate authorities dropped': () => 'removed the older CA: every replica acknowledged the new certificate',
  'Watch creation failed': ({ error }) => `cannot watch: ${String(error)}`,
  'Fatal error': ({ error }) => `fatal error: ${String(error)}`,
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
      const wording = WORDINGS[line.message];
      if (wording !== undefined) say(who, wording(line));
    },
  };
};
