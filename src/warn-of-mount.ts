import type { Mount } from './certificates/mount.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';

/** Says at start what is wrong with the mount itself: a subPath never receives another certificate. */
export const warnOfMount = (mount: Mount, { certDir, secretName }: Config, logger: Logger): void => {
  if (mount.kind() !== 'sub-path') return;
  logger.warn('Certificate directory is a subPath mount and will never be updated', {
    directory: certDir,
    remedy: `mount Secret ${secretName} as a whole directory, without subPath`,
  });
};
