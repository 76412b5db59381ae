import { map, Observable, of, Subject, timer } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import type { LeaseChange } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { ReplicaPorts } from '../../streams/replica.ts';
import { isLeaseStep, type Step } from '../../streams/step.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import type { VirtualTime } from '../support/virtual-time.ts';
import { clocks } from './clocks.ts';
import { leasePorts } from './lease-ports.ts';
import { machineOf } from './machine.ts';
import { network } from './network.ts';
import { performStep } from './perform-step.ts';
import type { ProcessContext } from './process-context.ts';
import { randomFrom } from './random.ts';
import { replicaPorts } from './replica-ports.ts';
import { scenarioFrom } from './scenario-from.ts';
import type { Setting } from './setting.ts';
import { sketchedObjects } from './sketched-objects.ts';

const ELECTION: readonly string[] = ['claim', 'renew', 'release'] satisfies LeaseChange['kind'][];

const isStep = (change: Step | LeaseChange): change is Step => !ELECTION.includes(change.kind);

const FOUND = scenarioFrom(0);
const SCENARIO: Setting['scenario'] = {
  ...FOUND,
  policy: { ...FOUND.policy, issuer: 'self-signed', names: clusterOf.policy.names },
  podsReadable: true,
  podsWritable: true,
  neighbours: null,
  mostSkewMs: 0,
  leaseDurationMs: 60_000,
  certValidityMs: 365 * clusterOf.dayMs,
  caValidityMs: 3_650 * clusterOf.dayMs,
};

/** Time without machines that stop. */
const timeOf = (scheduler: TestScheduler | undefined): VirtualTime => ({
  nowMs: () => scheduler?.now() ?? 0,
  as: (_, work) => work(),
  after: (_, delayMs, work) => {
    const due = scheduler?.schedule(work, delayMs);
    return () => due?.unsubscribe();
  },
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
  step: () => false,
});

/**
 * The simulation's API server with the objects of a sketch, and its ports for whatever a spec lets loose on them. Nothing
 * is lost on the way; a request takes a millisecond of the scheduler's time, or none where there is no scheduler.
 *
 * @param bridges whether a new CA is cross-signed by the one before (L8)
 */
export const sketchedCluster = (
  sketch: Sketch,
  { scheduler, bridges = true }: { readonly scheduler?: TestScheduler; readonly bridges?: boolean } = {},
) => {
  const { targets, refusedAt, ...objects } = sketchedObjects(sketch);
  const { api, pki, lease } = objects;
  const time = timeOf(scheduler);
  let setMs = 0;
  const nowMs = (): number => clusterOf.nowMs + setMs + time.nowMs();
  let latestMs = nowMs();
  let isDown = false;
  const steps: Step[] = [];
  const leaseWritings: string[] = [];
  const landed$ = new Subject<Step>();

  const cluster = { name: 'cluster' };
  const random = randomFrom(1);
  const net: Setting['net'] = {
    ...network(time, cluster, random),
    latencyMs: () => 0,
    request: (_, __, arrive) => (scheduler === undefined ? of(0) : timer(1)).pipe(map(arrive)),
  };
  const setting: Setting = {
    ...objects,
    scenario: { ...SCENARIO, targets: targets.length },
    time,
    cluster,
    random,
    clocks: clocks(time, 0),
    // A bridge that the new CA has signed itself leads nowhere.
    pki: bridges ? pki : { ...pki, bridge: (_, newer, atMs) => pki.bridge(newer, newer, atMs) },
    net,
    tell: () => undefined,
  };

  /** The same process, of which the write of this change is noted when it arrives. */
  const noting = (context: ProcessContext, change: Step | LeaseChange): ProcessContext => {
    const words = `${context.machine.name} ${change.kind}`;
    const note = (outcome: string): void => {
      if (!('plannedOn' in change)) leaseWritings.push(`${time.nowMs()} ${words}${outcome}`);
    };
    const noted = <T>(arrive: () => T): T => {
      try {
        if (isDown) throw new Problem('down', 503);
        const answer = arrive();
        note('');
        if (isStep(change)) {
          steps.push(change);
          landed$.next(change);
        }
        return answer;
      } catch (error) {
        if (error instanceof Problem) note(isDown ? ' refused' : ' conflict');
        throw error;
      }
    };
    const request: Setting['net']['request'] = (from, what, arrive) =>
      net.request(from, what, what.startsWith('GET') ? arrive : () => noted(arrive));
    return { ...context, net: { ...net, request } };
  };
  const portsOf = (identity: string): ReplicaPorts => {
    const machine = machineOf(setting, identity);
    const clock = { wallMs: nowMs, monotonicMs: () => time.nowMs(), jump: () => undefined };
    const context: ProcessContext = { ...setting, host: machine, machine, clock };
    return {
      ...replicaPorts(context),
      perform: (step, fence) => performStep(noting(context, step)).perform(step, fence),
      writeLease: (change, plannedOn) => leasePorts(noting(context, change)).writeLease(change, plannedOn),
    };
  };
  const planners = portsOf('pod-0');

  return {
    ...objects,
    net,
    nowMs,
    portsOf,
    /** The steps that have got through, in this order. */
    steps: (): readonly Step[] => steps,
    /** `TIME WHO WHAT OUTCOME`, one for each write of the Lease that has arrived. */
    leaseWritings: (): readonly string[] => leaseWritings,
    /** Each step once it stands, before its writer is told. */
    landed$: landed$.asObservable(),
    /** What a watch tells of the Lease; the newest at once. */
    lease$: new Observable<LeaseSnapshot | null>((subscriber) => {
      subscriber.next(lease());
      return api.lease.onChange(() => subscriber.next(lease()));
    }),
    breakDown: (down: boolean): void => void (isDown = down),
    /** Time passes, or the clock is set. */
    wait: (ms: number): void => void (setMs += ms),
    /** What L2 forbids, now. Those who call do not set their clocks back. */
    refused: (): readonly string[] => refusedAt((latestMs = Math.max(latestMs, nowMs()))),
    /** Carries a step out at once, where there is no scheduler; false if it is refused, since something has changed. */
    write: (step: Step, plannedOn = lease()): boolean => {
      let problem: unknown = null;
      const write$: Observable<unknown> = isLeaseStep(step)
        ? planners.writeLease(step, plannedOn)
        : planners.perform(step, () => true);
      write$.subscribe({ error: (error: unknown) => (problem = error) });
      if (problem !== null && !(problem instanceof Problem)) throw problem as Error;
      return problem === null;
    },
  };
};

export type SketchedCluster = ReturnType<typeof sketchedCluster>;
