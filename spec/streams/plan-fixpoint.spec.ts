import { expect } from 'chai';
import type { CertificateInfo } from '../../streams/model.ts';
import { planIssuance } from '../../streams/plan-issuance.ts';
import type { Step } from '../../streams/step.ts';
import { type SketchedCluster, sketchedCluster } from '../simulation/sketched-cluster.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { stepInWords } from '../support/step-in-words.ts';

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
const ACCIDENTS: Readonly<Record<string, (cluster: SketchedCluster, start: Sketch) => void>> = {
  nothing: () => undefined,
  'the Secret is deleted': ({ meddle }) => meddle.secret(null),
  'SECRET-ca is deleted': ({ meddle }) => meddle.authority(null),
  'both Secrets are deleted': ({ meddle }) => {
    meddle.secret(null);
    meddle.authority(null);
  },
  'the key of the CA is lost': ({ meddle }) => meddle.loseKey(),
  'SECRET-ca is put back as it was at the start': ({ meddle }, { ca: authority }) => {
    if (authority !== undefined) meddle.authority(authority);
  },
  'the Secret is put back as it was at the start': ({ meddle }, { secret }) => {
    if (secret !== undefined) meddle.secret(secret);
  },
  'the announcement is lost': ({ meddle }) => meddle.lease({ announcement: null, servedSinceMs: null }),
  'a leaf is asked for': ({ meddle }) => meddle.lease({ rotate: 'leaf' }),
  'a CA is asked for': ({ meddle }) => meddle.lease({ rotate: 'ca' }),
  'a replica starts again': ({ meddle }) => meddle.pod('pod-1', null),
  'the clock is set back a day': ({ wait }) => wait(-clusterOf.dayMs),
  'the clock is set forward a day': ({ wait }) => wait(clusterOf.dayMs),
};

/** How the kubelets of the three replicas keep up: which of them sync after a write. */
const KUBELETS: Readonly<Record<string, (write: number) => readonly string[]>> = {
  'all at once': () => ['pod-0', 'pod-1', 'pod-2'],
  'one after the other': (write) => [`pod-${write % 3}`],
  'only when nothing else happens': () => [],
};

interface Run {
  readonly cluster: SketchedCluster;
  readonly steps: readonly Step[];
}

const describeRun = ({ steps }: Run): string => steps.map(stepInWords).join(' → ');

/** Plans and writes until there is nothing to do, replicas are in sync and the overlap is over; looks at L2 all the time. */
const settle = (
  sketch: Sketch,
  options: {
    readonly bridges: boolean;
    readonly syncing: (write: number) => readonly string[];
    readonly accident?: (cluster: SketchedCluster, start: Sketch) => void;
    readonly afterWrites?: number;
    /** Whether the accident falls between the plan and its write, so that a leader writes on what is no more. */
    readonly late?: boolean;
  },
): Run => {
  const cluster = sketchedCluster(sketch, options);
  const steps: Step[] = [];
  let accident = options.accident ?? null;
  let quietHours = 0;

  const look = (): void => {
    const refused = cluster.refused();
    if (refused.length > 0) expect.fail(`${describeRun({ cluster, steps })}: ${refused.join(', ')}`);
  };
  const strike = (): void => {
    if (accident === null || steps.length < (options.afterWrites ?? 0)) return;
    accident(cluster, sketch);
    accident = null;
    quietHours = 0;
  };

  for (const pod of ['pod-0', 'pod-1', 'pod-2']) cluster.sync(pod);
  look();
  while (quietHours < 5) {
    if (!options.late) strike();
    const seen = cluster.observed();
    const step = planIssuance(seen, clusterOf.policy, cluster.nowMs());
    if (options.late) strike();
    if (step !== null) {
      if (cluster.write(step, seen.lease)) steps.push(step);
      if (steps.length > ENOUGH_WRITES) expect.fail(`never comes to rest: ${describeRun({ cluster, steps })}`);
      look();
      for (const pod of options.syncing(steps.length)) if (cluster.sync(pod)) look();
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

const names = (certificates: readonly CertificateInfo[]) =>
  certificates.map(({ fingerprint }) => fingerprint).join('+');

/** One CA is left, trusted and served everywhere; which one. */
const atRest = ({ cluster }: Run): string | undefined => {
  const { ca: authority, secret, targets, lease, replicas } = cluster.observed();
  if (typeof authority === 'string' || typeof secret === 'string' || typeof replicas === 'string') {
    return expect.fail('something is missing');
  }
  const { rotate, servedSinceMs, announcement } = lease;
  const { hash, validUntil } = secret;
  const current = authority.current?.fingerprint;
  const bundles = targets.flatMap(({ state }) => (typeof state === 'string' ? [state] : state.bundles.map(names)));
  expect({
    trusted: new Set([names(authority.bundle), names(secret.trust), ...bundles]),
    issuer: secret.issuer,
    announcement,
    serving: new Set(replicas.map(({ servingHash }) => servingHash)),
    rotate,
    servedSinceMs,
  }).to.deep.equal({
    trusted: new Set([current]),
    issuer: current,
    announcement: { hash, validUntil },
    serving: new Set([hash]),
    rotate: null,
    servedSinceMs: null,
  });
  return current;
};

describe('planIssuance, step by step on a cluster', () => {
  for (const [start, sketch] of Object.entries(STARTS)) {
    describe(`from ${start}`, () => {
      for (const [accident, strike] of Object.entries(ACCIDENTS)) {
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
      expect(run.steps.filter(({ kind }) => kind === 'issue-ca')).to.have.length(1);
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
      'announce b1+B/A, request fulfilled',
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
          const accident = ({ meddle, observed, write, nowMs }: SketchedCluster): void => {
            meddle.target('target-0', words);
            const step = planIssuance(observed(), clusterOf.policy, nowMs());
            if (step !== null) write(step);
          };
          atRest(settle(sketch, { bridges: true, syncing: KUBELETS['all at once']!, accident, afterWrites }));
        }
      }
    }
  });
});
