import type { Host } from '../support/virtual-time.ts';
import type { MachineClock } from './clocks.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { Setting } from './setting.ts';

/** One run of one replica's process, as its ports see it. */
export interface ProcessContext extends Setting {
  readonly host: Host;
  readonly machine: Machine;
  readonly clock: MachineClock;
  readonly random: Random;
}
