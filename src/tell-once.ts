import type { Line } from './narrate.ts';

const AGAIN = new Set([
  'Certificate hash mismatch, waiting for kubelet sync',
  'Certificate rejected, keeping the one being served',
  'Certificate served, but callers may refuse it',
  'Handshake with the certificate failed, not ready',
]);

/** Things remembered as told. */
const REMEMBERED = 64;

/**
 * Lowers what has been told before to debug: a mismatch once a pair of hashes, a rejection once a reason. A certificate
 * that is loaded makes everything news again.
 */
export const tellOnce = (): ((line: Line) => Line) => {
  const told = new Set<string>();
  return (line) => {
    if (line.message === 'Certificate loaded and verified') told.clear();
    if (!AGAIN.has(line.message) || line.level === 'debug') return line;
    const key = JSON.stringify([line.message, line.fields]);
    if (told.has(key)) return { ...line, level: 'debug' };
    if (told.size >= REMEMBERED) told.clear();
    told.add(key);
    return line;
  };
};
