import { carefulWrites } from './careful-writes.ts';
import { eachSideAsks } from './each-side-asks.ts';
import { everyCallSucceeds } from './every-call-succeeds.ts';
import { handsOff } from './hands-off.ts';
import type { LawOf } from './law.ts';
import { leafWithinAuthority } from './leaf-within-authority.ts';
import { noChangeLost } from './no-change-lost.ts';
import { oneLoadAtATime } from './one-load-at-a-time.ts';
import { onlyAgreedPairs } from './only-agreed-pairs.ts';
import { readyMeansServed } from './ready-means-served.ts';
import { slowFights } from './slow-fights.ts';

/** Every law that is checked after every step. */
export const allLaws: readonly LawOf[] = [
  onlyAgreedPairs,
  oneLoadAtATime,
  noChangeLost,
  readyMeansServed,
  eachSideAsks,
  everyCallSucceeds,
  carefulWrites,
  slowFights,
  leafWithinAuthority,
  handsOff,
];
