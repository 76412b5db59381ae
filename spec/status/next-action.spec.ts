import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { replicaPolicy } from '../../src/daemon/ports.ts';
import { nextAction } from '../../src/status/next-action.ts';
import { issuers } from '../../streams/issuers.ts';
import type { CertificateInfo } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';

const parsed = parseConfig({
  env: { POD_NAMESPACE: 'ns', POD_NAME: 'me', CA_OVERLAP: '1h', WEBHOOK_HANDLER: 'builtin:allow' },
  flags: new Map(),
  serves: true,
  read: { namespace: () => null, hostname: () => 'me' },
});
if (!parsed.ok) throw new Error(parsed.problems.join());
const policy = replicaPolicy(parsed.config);
const DAY_MS = 86_400_000;
const nowMs = 20_000 * DAY_MS;
const ca = (name: string): CertificateInfo =>
  factsOf(name, { notBeforeMs: nowMs - DAY_MS, notAfterMs: nowMs + 3_000 * DAY_MS });
const leaf = factsOf('leaf', { notBeforeMs: nowMs - DAY_MS, notAfterMs: nowMs + 300 * DAY_MS, names: policy.names });

/** Everything as it should be, with these authorities, the first of which signs. */
const settled = (bundle: readonly CertificateInfo[], rest: Partial<ClusterState> = {}): ClusterState => ({
  lease: leaseOf('a', { announcement: { hash: 'a', validUntil: 'then' } }),
  secret: {
    resourceVersion: '1',
    hash: 'a',
    leaf,
    validUntil: 'then',
    issuer: bundle[0]!.fingerprint,
    trust: bundle,
    problem: null,
    otherManager: null,
  },
  ca: { resourceVersion: '1', current: bundle[0]!, bundle, otherManager: null },
  targets: [{ id: 't', state: { resourceVersion: '1', bundles: [bundle], otherManager: null } }],
  replicas: [{ name: 'me', servingHash: 'a', goneAtMs: null }],
  ...rest,
});
const proved = {
  lease: leaseOf('a', { announcement: { hash: 'a', validUntil: 'then' }, servedSinceMs: nowMs - 1_000 }),
};
const late = { replicas: [{ name: 'me', servingHash: 'old', goneAtMs: null }] } as const;

describe('the step of a rotation', () => {
  const both = [ca('B'), ca('A')];
  for (const [what, observation, step] of [
    ['nothing before anything has been seen', null, null],
    ['nothing while something is unknown', settled([ca('A')], { secret: 'pending' }), null],
    ['nothing when all is as it should be', settled([ca('A')]), null],
    ['the next write, as the planner has it', settled([ca('A')], { secret: 'absent' }), 'issue-leaf'],
    [
      'the write even of a caBundle that is being fought about',
      settled([ca('A')], { targets: [{ id: 't', state: { resourceVersion: '1', bundles: [[]], otherManager: 'x' } }] }),
      'inject',
    ],
    ['to wait for a replica that serves another certificate', settled([ca('A')], late), 'await-acknowledgements'],
    ['to wait for it as well before a CA is dropped', settled(both, late), 'await-acknowledgements'],
    ['to note that all serve it', settled(both), 'record-served'],
    ['to hold the overlap', settled(both, proved), 'hold-overlap'],
  ] as const)
    it(`is ${what}`, () => {
      expect(nextAction(observation, policy, nowMs)).to.equal(step);
    });
  it('is to drop the older CA once the overlap has passed', () => {
    expect(nextAction(settled(both, proved), policy, nowMs + 3_600_000)).to.equal('prune-ca-bundle');
  });

  it('is to wait until every API server has taken up the caBundles, before a leaf that the older ones refuse', () => {
    const [newer, older] = both;
    const secret = {
      ...(settled([older!, newer!]).secret as object),
      issuer: older!.fingerprint,
    } as ClusterState['secret'];
    const cas = both.map(({ fingerprint }) => fingerprint);
    const lease = (sinceMs: number) => ({ lease: { ...settled(both).lease, trusted: { cas, sinceMs } } });
    expect(nextAction(settled(both, { secret, ...lease(nowMs - 1_000) }), policy, nowMs)).to.equal('settle-trust');
    expect(nextAction(settled(both, { secret, ...lease(nowMs - DAY_MS) }), policy, nowMs)).to.equal('issue-leaf');
  });

  it('is never a write that the API server refuses, and goes on without it', () => {
    const refusal = (object: string) => [{ object, reason: 'APIService "t" is invalid' }];
    const untrusting = { targets: [{ id: 't', state: { resourceVersion: '1', bundles: [[]], otherManager: null } }] };
    expect(nextAction(settled([ca('A')], untrusting), policy, nowMs)).to.equal('inject');
    expect(nextAction(settled([ca('A')], untrusting), policy, nowMs, refusal('t'))).to.equal(null);
    expect(nextAction(settled([ca('A')], { ...untrusting, ...late }), policy, nowMs, refusal('t'))).to.equal(
      'await-acknowledgements',
    );
    expect(nextAction(settled([ca('A')], { secret: 'absent' }), policy, nowMs, refusal('secret'))).to.equal(null);
  });

  it('is planned for another issuer by its own rules', () => {
    const external = { ...policy, issuer: issuers.external } as const;
    const observation = settled([ca('A')], { ca: 'absent', lease: leaseOf(null) });
    expect(nextAction(observation, external, nowMs)).to.equal('announce');
    expect(nextAction({ ...settled(both, proved), ca: 'absent' }, external, nowMs)).to.equal('record-served');
  });

  it('is nothing to wait for while nothing is announced, or the replicas are not known', () => {
    const external = { ...policy, issuer: { ...issuers.external, plan: () => null } } as typeof policy;
    const of = (rest: Partial<ClusterState>) => nextAction({ ...settled(both), ...late, ...rest }, external, nowMs);
    expect(of({})).to.equal('await-acknowledgements');
    expect(of({ lease: leaseOf(null) })).to.equal(null);
    expect(of({ replicas: 'pending' })).to.equal(null);
  });

  it('waits for acknowledgements in an overlap, which the Lease or the bundle shows, and else where one has been given', () => {
    const quiet = { ...policy, issuer: { ...issuers.external, plan: () => null } } as typeof policy;
    const pod = (name: string, servingHash: string | null) => ({ name, servingHash, goneAtMs: null });
    const mute = [pod('me', null), pod('x', null)];
    const of = (rest: Partial<ClusterState>) => nextAction({ ...settled([ca('A')]), ...rest }, quiet, nowMs);
    expect(of({ replicas: mute })).to.equal(null);
    expect(of({ replicas: mute, ...proved })).to.equal('await-acknowledgements');
    expect(of({ replicas: mute, ca: 'absent' })).to.equal(null);
    expect(of({ replicas: mute, ca: 'absent', ...proved })).to.equal('await-acknowledgements');
    expect(of({ replicas: [pod('me', 'a'), pod('x', null)] })).to.equal('await-acknowledgements');
    expect(of({ replicas: 'forbidden' })).to.equal(null);
    expect(nextAction({ ...settled(both), replicas: mute }, quiet, nowMs)).to.equal('await-acknowledgements');
  });

  it('plans with each refused object set aside, and the reason of each refused target', () => {
    const seen: unknown[] = [];
    const plan = ({ targets, paused }: Parameters<typeof policy.issuer.plan>[0]) => {
      seen.push([targets.map(({ id, held, refused }) => [id, held, refused]), Array.from(paused ?? [])]);
      return null;
    };
    const spying = { ...policy, issuer: { ...policy.issuer, plan } } as typeof policy;
    const refusals = ['t', 'secret', 'ca', 'announcement', 'other'].map((object) => ({ object, reason: 'invalid' }));
    nextAction(settled([ca('A')]), spying, nowMs, refusals);
    nextAction(settled([ca('A')]), spying, nowMs);
    expect(seen).to.deep.equal([
      [[['t', true, 'invalid']], ['secret', 'ca', 'announcement']],
      [[['t', false, null]], []],
    ]);
  });
});
