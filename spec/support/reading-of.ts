import type { MountReading } from '../../streams/model.ts';

/** The mounted generation `gen-HASH`; null is a mount without `tls.crt`. */
export const readingOf = (hash: string | null, rest: Partial<MountReading> = {}): MountReading => ({
  generation: `gen-${hash ?? 'empty'}`,
  hash,
  problem: null,
  ...rest,
});
