import type { VerifiedPair } from '../../streams/model.ts';
import { factsOf } from './facts-of.ts';

/** A pair that has passed every check, mounted as the generation `gen-HASH`. */
export const pairOf = (hash: string, rest: Partial<VerifiedPair> = {}): VerifiedPair => ({
  hash,
  generation: `gen-${hash}`,
  leaf: factsOf(`leaf-${hash}`),
  bundle: [factsOf('ca')],
  advice: [],
  ...rest,
});
