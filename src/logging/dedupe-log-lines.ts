import type { Line, LineEvent } from './log-lines.ts';

const DEDUPED: ReadonlySet<LineEvent> = new Set<LineEvent>([
  'certificate-mismatch',
  'certificate-rejected',
  'certificate-objection',
  'handshake-failed',
]);

const NOT_SHOWN: ReadonlySet<LineEvent> = new Set<LineEvent>([
  'served-elsewhere',
  'neighbour-unreachable',
  'neighbour-shows-no-certificate',
]);

/** Lines remembered; beyond that all are forgotten. */
const MAX_REMEMBERED = 64;

/**
 * Lowers repeated lines to debug: a mismatch is logged once per pair of hashes, a rejection once per reason. Loading a
 * certificate resets this. Loading the same certificate again, because its bundle changed, is a repetition itself.
 */
export const dedupeLogLines = (): ((line: Line) => Line) => {
  const logged = new Set<string>();
  let loadedHash: unknown = null;
  return (line) => {
    if (line.event === 'certificate-loaded') {
      logged.clear();
      const isRepeated = loadedHash === line.fields['hash'];
      loadedHash = line.fields['hash'];
      return isRepeated ? { ...line, level: 'debug' } : line;
    }
    // Once the neighbour shows the certificate again, that is news although it was loaded before.
    if (NOT_SHOWN.has(line.event)) loadedHash = null;
    if (!DEDUPED.has(line.event) || line.level === 'debug') return line;
    const key = JSON.stringify([line.event, line.fields]);
    if (logged.has(key)) return { ...line, level: 'debug' };
    if (logged.size >= MAX_REMEMBERED) logged.clear();
    logged.add(key);
    return line;
  };
};
