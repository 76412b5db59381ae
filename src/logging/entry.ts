import type { LogLevel } from '../logger.ts';
import type { Plain } from './plain.ts';

/** One line before it is written, in the order it is written. */
export interface Entry {
  readonly level: LogLevel;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly message: string;
  readonly fields: ReadonlyMap<string, Plain>;
}
