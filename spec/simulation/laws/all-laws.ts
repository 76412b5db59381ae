import { acknowledgedMeansVerified } from './acknowledged-means-verified.ts';
import { carefulWrites } from './careful-writes.ts';
import { driftRepaired } from './drift-repaired.ts';
import { eachSideAsks } from './each-side-asks.ts';
import { everyCallSucceeds } from './every-call-succeeds.ts';
import { everyPairVerifies } from './every-pair-verifies.ts';
import { handsOff } from './hands-off.ts';
import type { LawOf } from './law.ts';
import { leafWithinAuthority } from './leaf-within-authority.ts';
import { noChangeLost } from './no-change-lost.ts';
import { oneLoadAtATime } from './one-load-at-a-time.ts';
import { onlyAgreedPairs } from './only-agreed-pairs.ts';
import { pollingIsEnough } from './polling-is-enough.ts';
import { readyMeansServed } from './ready-means-served.ts';
import { slowFights } from './slow-fights.ts';
import { watchComesBack } from './watch-comes-back.ts';

/** Every law that is checked after every step. */
export const allLaws: readonly LawOf[] = [
  onlyAgreedPairs,
  oneLoadAtATime,
  noChangeLost,
  readyMeansServed,
  eachSideAsks,
  watchComesBack,
  pollingIsEnough,
  everyCallSucceeds,
  carefulWrites,
  slowFights,
  driftRepaired,
  leafWithinAuthority,
  handsOff,
  everyPairVerifies,
  acknowledgedMeansVerified,
];
