import type { Line } from './log-lines.ts';

const AGAIN = new Set([
  'Certificate hash mismatch, waiting for kubelet sync',
  'Certificate rejected, keeping the one being served',
  'Certificate served, but callers may refuse it',
  'Handshake with the certificate failed, not ready',
]);

const LOADED = 'Certificate loaded and verified';

/** Things remembered as told. */
const REMEMBERED = 64;

/**
 * Lowers what has been told before to debug: a mismatch once a pair of hashes, a rejection once a reason. A certificate
 * that is loaded makes everything news again; the same one verified again, because its bundle changed, is not news.
 */
export const dedupeLogLines = (): ((line: Line) => Line) => {
  const told = new Set<string>();
  let loaded: unknown = null;
  return (line) => {
    if (line.message === LOADED) {
      told.clear();
      const again = loaded === line.fields['hash'];
      loaded = line.fields['hash'];
      return again ? { ...line, level: 'debug' } : line;
    }
    if (!AGAIN.has(line.message) || line.level === 'debug') return line;
    const key = JSON.stringify([line.message, line.fields]);
    if (told.has(key)) return { ...line, level: 'debug' };
    if (told.size >= REMEMBERED) told.clear();
    told.add(key);
    return line;
  };
};
