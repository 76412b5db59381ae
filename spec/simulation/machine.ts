import { Subject } from 'rxjs';
import { issuers } from '../../streams/issuers.ts';
import type { VerifiedPair } from '../../streams/model.ts';
import type { Readiness } from '../../streams/readiness.ts';
import { replica, type ReplicaEvent } from '../../streams/replica.ts';
import type { Host } from '../support/virtual-time.ts';
import type { MachineClock } from './clocks.ts';
import type { Generation } from './generation.ts';
import { neighbourOf, type SimulatedNeighbour } from './neighbour.ts';
import { replicaPorts } from './replica-ports.ts';
import type { Setting } from './setting.ts';
import { emptyVolume, type Volume } from './volume.ts';

/** One Pod and the process in it: the volume stays when the process dies. */
export interface Machine {
  readonly name: string;
  readonly volume: Volume;
  readonly clock: MachineClock;
  isRunning(): boolean;
  isPaused(): boolean;
  isReady(): boolean;
  isLeading(): boolean;
  /** What a TLS handshake with it shows; null while nobody listens. */
  served(): Serving | null;
  /** The server that terminates TLS in its Pod; null where the replica does. */
  readonly neighbour: SimulatedNeighbour | null;
  readiness(): Readiness | null;
  start(): void;
  /** SIGKILL. */
  crash(): void;
  pause(): void;
  resume(): void;
  /** SIGTERM; whoever sends it also kills. */
  terminate(): void;
}

export interface Serving {
  readonly pair: VerifiedPair;
  readonly files: Generation;
}

interface Process {
  readonly host: Host;
  readonly stop$: Subject<unknown>;
  end(): void;
}

export const machineOf = (setting: Setting, name: string): Machine => {
  const { clocks, random, scenario, tell, time } = setting;
  const own = random.fork(name);
  const clock = clocks.machine(own.int(-scenario.mostSkewMs, scenario.mostSkewMs));
  let running: Process | null = null;
  let paused = false;
  let leading = false;
  let readiness: Readiness | null = null;
  let served: Serving | null = null;

  const volume = emptyVolume();
  const { neighbours: habit } = scenario;
  const onLoaded = (): void => tell({ type: 'neighbour/loaded', machine });
  const neighbour =
    habit === null ? null : neighbourOf(setting, volume, { random: own.fork('neighbour'), habit, onLoaded });

  const note = (event: ReplicaEvent): void => {
    if (event.type === 'readiness/changed') readiness = event.readiness;
    if (event.type === 'leadership/acquired') leading = true;
    if (event.type === 'leadership/lost' || event.type === 'leadership/released') leading = false;
    tell({ type: 'event', machine, event });
    // The daemon exits with 1, and its container is started again, unless its Pod is to go.
    if (event.type === 'certificate/timed-out') {
      time.after(setting.cluster, 0, () => machine.crash());
      time.after(setting.cluster, 2_000, () => {
        if (setting.api.pod.get(name)?.value.goneAtMs === null) machine.start();
      });
    }
  };

  const machine: Machine = {
    name,
    volume,
    neighbour,
    clock,
    isRunning: () => running !== null,
    isPaused: () => paused,
    isReady: () => readiness?.ready ?? false,
    isLeading: () => leading,
    served: () => (neighbour === null ? served : neighbour.served()),
    readiness: () => readiness,
    start: () => {
      if (running !== null) return;
      const host: Host = { name };
      const stop$ = new Subject<unknown>();
      const tellServed: Setting['tell'] = (signal) => {
        if (signal.type === 'served') served = signal;
        tell(signal);
      };
      const context = { ...setting, tell: tellServed, host, machine, clock, random: own.fork(String(time.nowMs())) };
      running = { host, stop$, end: () => undefined };
      tell({ type: 'machine', machine, became: 'started' });
      time.as(host, () => {
        const { event$ } = replica(
          replicaPorts(context),
          { ...scenario.policy, issuer: issuers[scenario.policy.issuer], identity: name },
          stop$,
        );
        const subscription = event$.subscribe(note);
        running = { host, stop$, end: () => time.as(host, () => subscription.unsubscribe()) };
      });
    },
    crash: () => {
      if (running === null) return;
      time.end(running.host);
      running.end();
      running = readiness = served = null;
      paused = leading = false;
      tell({ type: 'machine', machine, became: 'crashed' });
      // A node that goes down takes both containers with it.
      if (neighbour !== null && own.chance(0.5)) neighbour.restart();
    },
    pause: () => {
      if (running === null || paused) return;
      time.pause(running.host);
      paused = true;
      tell({ type: 'machine', machine, became: 'paused' });
    },
    resume: () => {
      if (running === null || !paused) return;
      paused = false;
      tell({ type: 'machine', machine, became: 'resumed' });
      // Node looks after timers before it looks after sockets; but a socket may also have been looked at just before.
      const timersFirst = own.chance(0.5);
      time.resume(running.host, (due) =>
        timersFirst
          ? [...due].sort((left, right) => Number(left.periodMs === null) - Number(right.periodMs === null))
          : due,
      );
    },
    terminate: () => running?.stop$.next('SIGTERM'),
  };
  return machine;
};
