import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The first line that a program says; rejects when it ends without one. */
export const firstLine = async (stdout: Readable, program: string): Promise<string> => {
  for await (const line of createInterface(stdout)) return line;
  throw new Error(`${program} ended without a line on stdout`);
};
