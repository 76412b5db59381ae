import { NEVER } from 'rxjs';
import type { RunHelpers, TestScheduler } from 'rxjs/testing';
import type { FollowerPorts } from '../../streams/follower.ts';
import { mountAt } from './mount-at.ts';
import { noJitter } from './no-jitter.ts';
import { pairOf } from './pair-of.ts';
import { readingOf } from './reading-of.ts';
import { virtualClock } from './virtual-clock.ts';

/** Ports where all goes well and every step takes 1 ms: reading, verifying, serving, the handshake, an annotation. */
export const followerPorts = (
  helpers: RunHelpers,
  scheduler: TestScheduler,
  rest: Partial<FollowerPorts> = {},
): FollowerPorts => ({
  clock: virtualClock(scheduler),
  random: noJitter,
  mountMoved$: NEVER,
  isMountUnmoved: () => false,
  readMount: mountAt(helpers, scheduler, { 0: readingOf('a') }),
  verify: ({ generation }, { hash }) => helpers.cold('-(v|)', { v: { ok: true, pair: pairOf(hash, { generation }) } }),
  serve: () => helpers.cold('-(s|)', { s: undefined }),
  handshake: () => helpers.cold('-(h|)', { h: null }),
  expectHash: () => helpers.cold('-|'),
  acknowledgeHash: () => helpers.cold('-|'),
  ...rest,
});
