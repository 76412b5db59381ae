import type { WriteStream } from 'node:tty';
import type { Config } from './config.ts';
import { createLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { lineSink } from './logging/line-sink.ts';
import { stdoutOutlet } from './logging/stdout-outlet.ts';

/** @param stdout asked for when there is something to write, since a stream of it is not always needed */
export const openLogger = ({ logLevel, logFormat }: Config, stdout: () => WriteStream): Logger => {
  const colours = logFormat === 'pretty' && stdout().isTTY;
  const write = lineSink(stdoutOutlet(stdout), (lines) =>
    logger.warn('Log lines were lost, they could not be written', { lines }),
  );
  const logger = createLogger({ level: logLevel, format: logFormat, colours, write });
  return logger;
};
