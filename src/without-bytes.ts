import type { VerifiedPair } from '../streams/model.ts';

/** What is known of a pair, without the files that may come along with it: one of them is the private key. */
export const withoutBytes = ({ hash, generation, leaf, bundle, advice }: VerifiedPair): VerifiedPair => ({
  hash,
  generation,
  leaf,
  bundle,
  advice,
});
