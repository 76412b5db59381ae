import type { VolumeSnapshot } from '../../streams/model.ts';

/** The mounted generation `gen-HASH`; null is a mount without `tls.crt`. */
export const readingOf = (hash: string | null, rest: Partial<VolumeSnapshot> = {}): VolumeSnapshot => ({
  generation: `gen-${hash ?? 'empty'}`,
  hash,
  problem: null,
  ...rest,
});
