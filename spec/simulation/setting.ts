import type { Host, VirtualTime } from '../support/virtual-time.ts';
import type { ApiServer } from './api-server.ts';
import type { clocks } from './clocks.ts';
import type { Network } from './network.ts';
import type { objectViews } from './object-views.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import type { Signal } from './signal.ts';
import type { SymbolicPki } from './symbolic-pki.ts';

/** What every part of the model stands on. */
export interface Setting {
  readonly scenario: Scenario;
  readonly time: VirtualTime;
  /** Whose timers those are that no machine owns. */
  readonly cluster: Host;
  readonly random: Random;
  readonly clocks: ReturnType<typeof clocks>;
  readonly pki: SymbolicPki;
  readonly api: ApiServer;
  readonly views: ReturnType<typeof objectViews>;
  readonly net: Network;
  readonly tell: (signal: Signal) => void;
}
