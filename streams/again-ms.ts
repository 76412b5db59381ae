const FIRST_MS = 2_000;
const LONGEST_MS = 30_000;

/**
 * How long to wait before a question is put again that has been answered, only not yet as hoped: 2 s, 4 s … 30 s.
 *
 * @param times how often it has been put, from 1
 * @returns milliseconds
 */
export const againMs = (times: number): number => Math.min(LONGEST_MS, FIRST_MS * 2 ** (times - 1));
