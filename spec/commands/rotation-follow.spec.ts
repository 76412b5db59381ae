import { expect } from 'chai';
import { concat, map, NEVER, type Observable, of, shareReplay, switchMap, throwError, timer } from 'rxjs';
import { leasePorts } from '../../src/cluster/lease.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { followRotation, observeInstallation, type WaitLimit } from '../../src/commands/rotation-follow.ts';
import { rotationStart } from '../../src/commands/rotation-progress.ts';
import { ApiError } from '../../src/kube/errors.ts';
import { CLOCK_SKEW_MS } from '../../streams/clock.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import { parse } from '../config/parse.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';
import { recordingClient } from '../support/recording-client.ts';
import { announcedLease, asked, before, lease, nowMs, replicaOf, secretOf, terms } from './rotation-states.ts';

/** States of the cluster, each with the second at which it is seen. */
type History = readonly (readonly [seconds: number, seen: ClusterState])[];

const done: ClusterState = {
  ...before,
  lease: announcedLease,
  secret: secretOf('b'),
  replicas: [replicaOf('first', 'b')],
};
const ASKED = asked('leaf');

/** What is told of a rotation of the leaf, each line with the second, and when and how it ends. */
const followed = (history: History, limit: WaitLimit, its: Partial<typeof terms> = {}): readonly string[] => {
  const told: string[] = [];
  marbles((_helpers, scheduler) => {
    const atS = (): number => scheduler.now() / 1_000;
    const seen$: Observable<ClusterState> = concat(
      ...history.map(([seconds, seen], at) =>
        timer((seconds - (history[at - 1]?.[0] ?? 0)) * 1_000).pipe(map(() => seen)),
      ),
      NEVER,
    ).pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const clock = (): number => nowMs + scheduler.now();
    const start = rotationStart(before, 'leaf');
    followRotation(seen$, start, { ...terms, ...its, namespace: 'hooks', limit, clock }).subscribe({
      next: ({ fresh, exitCode }) => {
        told.push(...fresh.map((line) => `${atS()} s: ${line}`));
        if (exitCode !== null) told.push(`${atS()} s: exit ${exitCode}`);
      },
      complete: () => told.push(`${atS()} s: end`),
    });
  });
  return told;
};

const STANDSTILL: WaitLimit = { of: 'standstill', ms: 120_000 };
const STEPS = ['Secret written: b', 'announced: b, valid until later', 'acknowledged: 1/1 replicas'];
const at = (seconds: number, ...lines: readonly string[]): readonly string[] =>
  lines.map((line) => `${seconds} s: ${line}`);
const HINT = 'no leader: first holds the Lease but has not renewed it. Is it running? kubectl -n hooks logs first';

describe('a rotation that is followed', () => {
  it('ends with 0 once every step is reached', () => {
    expect(
      followed(
        [
          [0, ASKED],
          [3, { ...ASKED, secret: secretOf('b') }],
          [5, done],
          [9, before],
        ],
        STANDSTILL,
      ),
    ).to.deep.equal([...at(3, STEPS[0]!), ...at(5, ...STEPS.slice(1)), ...at(5, 'exit 0', 'end')]);
  });

  it('ends with 1 once the request is gone and nothing was rotated', () => {
    const [line, ...end] = followed(
      [
        [0, ASKED],
        [2, before],
      ],
      STANDSTILL,
    );
    expect(line).to.match(/^2 s: the request is gone and nothing was rotated/);
    expect(end).to.deep.equal(at(2, 'exit 1', 'end'));
  });

  it('is evaluated each second, since a Pod can be gone without an event', () => {
    const late = replicaOf('late', 'a', { goneAtMs: nowMs - CLOCK_SKEW_MS + 6_500 });
    const seen: ClusterState = { ...done, replicas: [replicaOf('first', 'b'), late] };
    expect(followed([[0, seen]], STANDSTILL)).to.deep.equal([
      ...at(0, ...STEPS.slice(0, 2), 'acknowledged: 1/2 replicas'),
      ...at(7, STEPS[2]!, 'exit 0', 'end'),
    ]);
  });
});

describe('a rotation that stands still', () => {
  const written: ClusterState = { ...ASKED, secret: secretOf('b') };

  it('is given up after the limit without a step, with a hint', () => {
    expect(followed([[0, ASKED]], STANDSTILL)).to.deep.equal(
      at(120, `no progress for 120 s: ${HINT}`, 'exit 1', 'end'),
    );
  });

  it('is not given up as long as steps are made', () => {
    const history: History = [
      [0, ASKED],
      [100, written],
      [150, written],
    ];
    expect(followed(history, STANDSTILL)).to.deep.equal([
      ...at(100, STEPS[0]!),
      ...at(220, `no progress for 120 s: ${HINT}`, 'exit 1', 'end'),
    ]);
  });

  it('is not given up while it waits for TRUST_SETTLE, however long, but counted from then on', () => {
    const settling = { ...ASKED, lease: { ...lease, rotate: 'leaf', trusted: { cas: ['old'], sinceMs: nowMs } } };
    const given = { trustSettleMs: 600_000 };
    const wait = 'waiting until 2026-01-01T00:10:00Z (TRUST_SETTLE): every API server takes up the caBundles';
    expect(
      followed(
        [
          [0, settling],
          [601, done],
        ],
        STANDSTILL,
        given,
      ),
    ).to.deep.equal([...at(0, wait), ...at(601, ...STEPS, 'exit 0', 'end')]);
    expect(followed([[0, settling]], STANDSTILL, given)).to.deep.equal([
      ...at(0, wait),
      ...at(719, `no progress for 120 s: ${HINT}`, 'exit 1', 'end'),
    ]);
  });

  it('is told from the state at that time', () => {
    const renewed: ClusterState = { ...done, lease: { ...announcedLease, renewTime: 'later' } };
    const gone = replicaOf('gone', 'a', { goneAtMs: nowMs - CLOCK_SKEW_MS + 10_000 });
    const seen = { ...renewed, replicas: [replicaOf('first', 'b'), replicaOf('second', 'a'), gone] };
    const lines = followed(
      [
        [0, ASKED],
        [1, seen],
      ],
      { of: 'all', ms: 30_000 },
    );
    expect(lines.at(-3)).to.match(
      /^30 s: not served by every replica after 30 s: not acknowledged: second serves a\. /,
    );
  });
});

describe('a rotation with a time limit', () => {
  it('is given up at that time, whatever steps are made', () => {
    const written: ClusterState = { ...ASKED, secret: secretOf('b') };
    expect(
      followed(
        [
          [0, ASKED],
          [25, written],
        ],
        { of: 'all', ms: 30_000 },
      ),
    ).to.deep.equal([
      ...at(25, STEPS[0]!),
      ...at(30, `not served by every replica after 30 s: ${HINT}`, 'exit 1', 'end'),
    ]);
  });

  it('may stand still for as long', () => {
    expect(
      followed(
        [
          [0, ASKED],
          [500, done],
        ],
        { of: 'all', ms: 501_000 },
      ),
    ).to.deep.equal(at(500, ...STEPS, 'exit 0', 'end'));
  });
});

describe('the installation that a rotation is followed in', () => {
  const CONFIG = (() => {
    const parsed = parse({
      CA_BUNDLE_TARGETS: 'validatingwebhookconfiguration/hook',
      SECRET_NAME: 'certs',
      LEASE_NAME: 'hook-lease',
      POD_SELECTOR: 'app=hook',
    });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    return parsed.config;
  })();
  const LEASE = { metadata: { name: 'hook-lease', uid: 'u', resourceVersion: '7' }, spec: { holderIdentity: 'first' } };
  /** The objects of an installation, by what their requests contain. */
  const OBJECTS = {
    leases: 'hook-lease',
    'metadata.name=certs"': 'secret',
    'metadata.name=certs-ca"': 'ca',
    validatingwebhookconfigurations: 'validatingwebhookconfiguration/hook',
    pods: 'replicas',
  } as const;
  type Part = keyof typeof OBJECTS;

  /** What is seen and told within a moment, where the requests for one object are answered like this. */
  const observed = (part: Part | null, answer$: Observable<unknown>, written$: Observable<LeaseSnapshot> = NEVER) => {
    const seen: ClusterState[] = [];
    const failures: string[] = [];
    marbles(
      () => {
        const { client } = recordingClient((request) => {
          const text = JSON.stringify([request.path, request.query]);
          const items = text.includes('leases') ? [LEASE] : [];
          const isAsked = part !== null && text.includes(part);
          return timer(0).pipe(
            switchMap(() => (isAsked ? answer$ : of({ metadata: { resourceVersion: '7' }, items }))),
          );
        });
        const ports = leasePorts(client, clusterPaths(CONFIG), CONFIG);
        const { observation$, failure$ } = observeInstallation(client, CONFIG, ports, written$);
        failure$.subscribe((line) => failures.push(line));
        observation$.subscribe((state) => seen.push(state));
      },
      { untilMs: 1 },
    );
    return { seen, failures };
  };

  it('is seen once each of its objects is read, or known to be absent', () => {
    const { seen, failures } = observed(null, NEVER);
    expect(seen[0]).to.deep.include({ secret: 'absent', ca: 'absent', replicas: [] });
    expect(seen[0]?.targets).to.deep.equal([{ id: 'validatingwebhookconfiguration/hook', state: 'absent' }]);
    expect(seen[0]?.lease).to.include({ holder: 'first', resourceVersion: '7' });
    expect(failures).to.deep.equal([]);
  });

  for (const [part, object] of Object.entries(OBJECTS) as [Part, string][]) {
    it(`is not seen before ${object} is read`, () => {
      expect(observed(part, NEVER)).to.deep.equal({ seen: [], failures: [] });
    });

    it(`is not seen while ${object} cannot be read, which is told`, () => {
      const { seen, failures } = observed(
        part,
        throwError(() => new ApiError('no answer', { status: 500 })),
      );
      expect(seen).to.deep.equal([]);
      expect(failures).to.deep.equal([`cannot watch ${object === 'hook-lease' ? 'lease' : object}: no answer`]);
    });
  }

  it('is seen without what may not be read', () => {
    const forbidden$ = throwError(() => new ApiError('no', { status: 403 }));
    const { seen, failures } = observed('metadata.name=certs"', forbidden$);
    expect(seen[0]?.secret).to.equal('forbidden');
    expect(failures).to.deep.equal(['cannot watch secret: no']);
  });

  it('is seen with the Lease that was written last', () => {
    const written = leaseOf('a', { uid: 'u', resourceVersion: '8', rotate: 'leaf' });
    const { seen } = observed(null, NEVER, timer(1).pipe(map(() => written)));
    expect(seen.at(-1)?.lease).to.deep.equal(written);
  });
});
