import type { LogLevel } from '../logger.ts';
import { parsed, type Schema } from './parsed.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A level by name or, for the `--v` that people know from Kubernetes' own programs, by verbosity. */
export const logLevel: Schema<LogLevel> = parsed(
  `one of ${levels.join(', ')}, or a verbosity: 0 is info, 1 and more is debug`,
  (text) => {
    if (/^\d{1,3}$/.test(text)) return Number(text) === 0 ? 'info' : 'debug';
    return levels.find((level) => level === text.toLowerCase());
  },
);
