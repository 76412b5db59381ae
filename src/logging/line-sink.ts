/** A way out for text that may fail, and may work again later: a full disk, a reader that has gone or does not read. */
export interface TextOutlet {
  /** Writes at once, or throws. */
  write(text: string): void;
  /** Bytes written that nobody has taken yet. */
  waitingBytes(): number;
}

/** What is kept for a slow reader. More would be the webhook's memory against somebody else's trouble. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Writes lines and never throws: a webhook does not end because nobody hears it. A line that cannot be written is lost.
 *
 * @param onRestored told, after the first line that got through again, how many lines were lost before it
 */
export const lineSink = (outlet: TextOutlet, onRestored: (lostLines: number) => void): ((line: string) => void) => {
  let lostLines = 0;
  const isWritten = (line: string): boolean => {
    if (outlet.waitingBytes() > MOST_WAITING_BYTES) return false;
    try {
      outlet.write(`${line}\n`);
      return true;
    } catch {
      return false;
    }
  };
  return (line) => {
    if (!isWritten(line)) {
      lostLines += 1;
      return;
    }
    if (lostLines === 0) return;
    const lost = lostLines;
    lostLines = 0;
    onRestored(lost);
  };
};
