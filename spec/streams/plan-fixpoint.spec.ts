import { expect } from 'chai';
import { planIssuance } from '../../streams/plan-issuance.ts';
import type { CaState, PlannerInput, SecretState, TargetState } from '../../streams/planner-input.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { stepInWords } from '../support/step-in-words.ts';
import { type ToyCluster, toyCluster } from '../support/toy-cluster.ts';

/** More than any way to rest takes. */
const ENOUGH_WRITES = 60;

const QUIET: Sketch = { ca: 'A', secret: 'a1:A', targets: ['A', 'A|A'], said: 'a1', pods: 'a1 a1 a1' };

const STARTS: Readonly<Record<string, Sketch>> = {
  'nothing at all': { targets: ['0', 'X'], pods: '- - -' },
  'a quiet cluster': QUIET,
  'a leaf asked for': { ...QUIET, rotate: 'leaf' },
  'a CA asked for': { ...QUIET, rotate: 'ca' },
  'a CA that ends': { ...QUIET, daysLeft: { A: 300, a1: 300 } },
  'a leaf that ends': { ...QUIET, daysLeft: { a1: 20 } },
  'a CA without a bundle, due': { ...QUIET, ca: 'A:', daysLeft: { A: 300 } },
  'a CA of ours beside a leaf of somebody else': {
    ...QUIET,
    secret: 'x1:X',
    targets: ['X', 'X|X'],
    said: 'x1',
    pods: 'x1 x1 x1',
  },
};

/** What people and accidents do to it; each leaves served certificates and targets alone. */
const ACCIDENTS: Readonly<Record<string, (cluster: ToyCluster, before: PlannerInput) => void>> = {
  nothing: () => undefined,
  'the Secret is deleted': ({ meddle }) => meddle.deleteSecret(),
  'SECRET-ca is deleted': ({ meddle }) => meddle.deleteAuthority(),
  'both Secrets are deleted': ({ meddle }) => {
    meddle.deleteSecret();
    meddle.deleteAuthority();
  },
  'the key of the CA is lost': ({ meddle }) => meddle.loseKey(),
  'SECRET-ca is put back as it was at the start': ({ meddle }, { ca: authority }) => {
    if (authority !== 'absent') meddle.putAuthorityBack(authority as CaState);
  },
  'the Secret is put back as it was at the start': ({ meddle }, { secret }) => {
    if (secret !== 'absent') meddle.putSecretBack(secret as SecretState);
  },
  'the announcement is lost': ({ meddle }) => meddle.forgetAnnouncement(),
  'a leaf is asked for': ({ meddle }) => meddle.ask('leaf'),
  'a CA is asked for': ({ meddle }) => meddle.ask('ca'),
  'a replica starts again': ({ meddle }) => meddle.restart('pod-1'),
  'the clock is set back a day': ({ wait }) => wait(-clusterOf.dayMs),
  'the clock is set forward a day': ({ wait }) => wait(clusterOf.dayMs),
};

const UNKNOWABLE = new Set<string>();

/** How the kubelets of the three replicas keep up: which of them sync after a write. */
const KUBELETS: Readonly<Record<string, (write: number) => readonly string[]>> = {
  'all at once': () => ['pod-0', 'pod-1', 'pod-2'],
  'one after the other': (write) => [`pod-${write % 3}`],
  'only when nothing else happens': () => [],
};

interface Run {
  readonly cluster: ToyCluster;
  readonly steps: readonly Step[];
}

const describeRun = ({ steps }: Run): string => steps.map(stepInWords).join(' → ');

/** Plans and writes until there is nothing to do, replicas are in sync and the overlap is over; looks at L2 all the time. */
const settle = (
  sketch: Sketch,
  options: {
    readonly bridges: boolean;
    readonly syncing: (write: number) => readonly string[];
    readonly accident?: (cluster: ToyCluster, before: PlannerInput) => void;
    readonly afterWrites?: number;
    /** Whether the accident falls between the plan and its write, so that a leader writes on what is no more. */
    readonly late?: boolean;
  },
): Run => {
  const before = clusterOf.observed(sketch);
  const cluster = toyCluster(before, options);
  const steps: Step[] = [];
  let accident = options.accident ?? null;
  let quietHours = 0;

  const look = (): void => {
    const refused = cluster.refused();
    if (refused.length > 0) expect.fail(`${describeRun({ cluster, steps })}: ${refused.join(', ')}`);
  };
  const strike = (): void => {
    if (accident === null || steps.length < (options.afterWrites ?? 0)) return;
    accident(cluster, before);
    accident = null;
    quietHours = 0;
  };

  for (const pod of ['pod-0', 'pod-1', 'pod-2']) cluster.sync(pod);
  look();
  while (quietHours < 5) {
    if (!options.late) strike();
    const step = planIssuance(cluster.observed(), clusterOf.policy, cluster.nowMs());
    if (options.late) strike();
    if (step !== null) {
      if (cluster.write(step) === 'written') steps.push(step);
      if (steps.length > ENOUGH_WRITES) expect.fail(`never comes to rest: ${describeRun({ cluster, steps })}`);
      look();
      for (const pod of options.syncing(steps.length)) {
        cluster.sync(pod);
        look();
      }
      quietHours = 0;
      continue;
    }
    if (!['pod-0', 'pod-1', 'pod-2'].some((pod) => cluster.sync(pod))) {
      cluster.wait(clusterOf.minuteMs * 30);
      quietHours += 0.5;
    }
    look();
  }
  return { cluster, steps };
};

const atRest = ({ cluster }: Run): unknown => {
  const {
    ca: authority,
    secret,
    targets,
    lease,
    replicas,
  } = cluster.observed() as {
    readonly ca: CaState;
    readonly secret: SecretState;
    readonly targets: readonly { readonly state: TargetState }[];
  } & PlannerInput;
  const current = authority.current!;
  expect(authority.bundle).to.deep.equal([current]);
  expect(secret.issuer).to.equal(current.fingerprint);
  expect(secret.trust).to.deep.equal([current]);
  for (const { state } of targets) expect(state.bundles).to.deep.equal(state.bundles.map(() => [current]));
  expect(lease.announcement).to.deep.equal({ hash: secret.hash, validUntil: secret.validUntil });
  expect(lease).to.include({ rotate: null, servedSinceMs: null });
  for (const replica of replicas as Exclude<typeof replicas, string>) expect(replica.servingHash).to.equal(secret.hash);
  return current.fingerprint;
};

describe('planIssuance, step by step on a toy cluster', () => {
  for (const [start, sketch] of Object.entries(STARTS)) {
    describe(`from ${start}`, () => {
      for (const [accident, strike] of Object.entries(ACCIDENTS)) {
        if (UNKNOWABLE.has(`${start}, ${accident}`)) continue;
        it(`comes to rest and refuses no call, whenever ${accident === 'nothing' ? 'it is planned' : accident}`, () => {
          for (const bridges of [true, false]) {
            for (const syncing of Object.values(KUBELETS)) {
              const { steps: undisturbed } = settle(sketch, { bridges, syncing });
              for (let afterWrites = 0; afterWrites <= undisturbed.length; afterWrites += 1) {
                for (const late of [true, false]) {
                  atRest(settle(sketch, { bridges, syncing, accident: strike, afterWrites, late }));
                }
              }
            }
          }
        });
      }
    });
  }

  it('replaces a CA exactly once for one request', () => {
    for (const syncing of Object.values(KUBELETS)) {
      const run = settle({ ...QUIET, rotate: 'ca' }, { bridges: true, syncing });
      expect(atRest(run)).to.equal('B');
      expect(run.cluster.authorities()).to.equal(1);
      expect(run.steps.filter(({ kind }) => kind === 'issue-leaf')).to.have.length(1);
    }
  });

  it('takes a CA rotation through the order of L1', () => {
    const run = settle({ ...QUIET, rotate: 'ca' }, { bridges: true, syncing: KUBELETS['all at once']! });
    expect(run.steps.map(stepInWords)).to.deep.equal([
      'request is ca/A',
      'new CA, requested, keep A',
      'target-0: B+A',
      'target-1: B+A',
      'new leaf, other-ca',
      'announce b2, request fulfilled',
      'served everywhere',
      'narrow: keep nothing',
      'target-0: B',
      'target-1: B',
      'Secret trusts B',
      'not served any more',
    ]);
  });

  it('mends a caBundle that was put back or emptied, from any state, with one write', () => {
    for (const sketch of [QUIET, { ...QUIET, rotate: 'ca' }]) {
      const { steps } = settle(sketch, { bridges: true, syncing: KUBELETS['all at once']! });
      for (let afterWrites = 0; afterWrites <= steps.length; afterWrites += 1) {
        for (const words of ['0', 'A', 'X']) {
          const accident = ({ meddle, observed, write, nowMs }: ToyCluster): void => {
            meddle.putTargetBack('target-0', clusterOf.targetState(words));
            const step = planIssuance(observed(), clusterOf.policy, nowMs());
            if (step !== null) write(step);
          };
          atRest(settle(sketch, { bridges: true, syncing: KUBELETS['all at once']!, accident, afterWrites }));
        }
      }
    }
  });
});
