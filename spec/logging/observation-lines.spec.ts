import { expect } from 'chai';
import { objectProblems, observationLines } from '../../src/logging/observation-lines.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import { clusterOf } from '../support/cluster-of.ts';

const quiet: ClusterState = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' });
const TARGET: TargetState = { resourceVersion: '1', bundles: [], otherManager: null };
const [id = ''] = quiet.targets.map((target) => target.id);

const secret = (resourceVersion: string, change: Partial<SecretState>): ClusterState => ({
  ...quiet,
  secret: { ...(quiet.secret as SecretState), resourceVersion, ...change },
});
const target = (state: TargetState | 'absent' | 'pending'): ClusterState => ({ ...quiet, targets: [{ id, state }] });

const messages = (...states: readonly ClusterState[]) => {
  const lines = observationLines();
  return states.map((observed) => lines({ type: 'cluster/observed', observed }).map(({ message }) => message));
};

describe('what the leader observes', () => {
  it('is not logged while every object can be used, and other events are not looked at', () => {
    expect(messages(quiet)).to.deep.equal([[]]);
    expect(observationLines()({ type: 'leadership/renewed' })).to.deep.equal([]);
  });

  it('is logged once for each version of an unusable Secret, with the reason', () => {
    const unusable = 'Certificate in the Secret cannot be used, keeping the one announced';
    const problem = 'tls.key: it is protected by a passphrase';
    const states = [secret('1', { problem }), secret('1', { problem }), secret('2', { problem }), quiet];
    expect(messages(...states)).to.deep.equal([[unusable], [], [unusable], []]);
    const [line] = observationLines()({ type: 'cluster/observed', observed: secret('1', { problem }) });
    expect(line?.fields).to.include({ reason: problem });
  });

  it('names the part of ca.crt that cannot be read', () => {
    const [line] = observationLines()({
      type: 'cluster/observed',
      observed: secret('1', { trustProblems: ['ca.crt: PEM block 2 is cut off'] }),
    });
    expect(line).to.deep.include({
      level: 'warn',
      message: 'ca.crt of the Secret is readable only in part, using the rest',
    });
    expect(line?.fields).to.include({ reason: 'ca.crt: PEM block 2 is cut off' });
  });

  it('is an error where the CA of another party cannot sign', () => {
    const ca: CaState = { resourceVersion: '1', current: null, bundle: [], otherManager: 'kubectl', foreign: 'why' };
    const [line] = observationLines()({ type: 'cluster/observed', observed: { ...quiet, ca } });
    expect(line).to.include({ level: 'error' });
    expect(line?.fields).to.include({ reason: 'why' });
  });

  it('is one error where the Secret is of another party, which is not overwritten', () => {
    const observed = secret('1', { problem: 'it holds ca', foreign: 'it holds ca' });
    const lines = observationLines()({ type: 'cluster/observed', observed });
    expect(lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['error', 'Secret of another party is not overwritten'],
    ]);
    expect(lines[0]?.fields).to.include({ object: 'secret', reason: 'it holds ca' });
  });

  it('is logged once when a target is missing, and once when it comes', () => {
    const missing = 'caBundle target does not exist yet';
    const states = [target('pending'), target('absent'), target('absent'), target('pending'), target('absent')];
    expect(messages(...states, target(TARGET), target(TARGET), target('absent'))).to.deep.equal([
      [],
      [missing],
      [],
      [],
      [],
      ['caBundle target found'],
      [],
      [missing],
    ]);
  });
});

describe('SOURCE_SECRET', () => {
  const NOW_MS = Date.UTC(2026, 10, 23);
  const pair = quiet.secret as SecretState;
  const source = (state: NonNullable<ClusterState['source']>): ClusterState => ({ ...quiet, source: state });
  const leaf = { ...pair.leaf!, notBeforeMs: NOW_MS - 1, notAfterMs: NOW_MS + 1 };
  const usable: SecretState = { ...pair, resourceVersion: '7', leaf, validUntil: '2026-11-23T00:00:00Z' };

  it('is no problem while it can be relayed, and while nothing is known of it', () => {
    expect(objectProblems(source(usable), NOW_MS)).to.deep.equal([]);
    expect(objectProblems(source('pending'), NOW_MS)).to.deep.equal([]);
  });

  it('is one while it is missing, forbidden or unusable, with its version where it has one', () => {
    for (const [state, resourceVersion, reason] of [
      ['absent', '', 'it does not exist'],
      ['forbidden', '', 'it cannot be read: get, list or watch is forbidden'],
      [{ ...usable, problem: 'tls.key: it is encrypted' }, '7', 'tls.key: it is encrypted'],
    ] as const)
      expect(objectProblems(source(state), NOW_MS)).to.deep.equal([
        { object: 'source', problem: 'unusable-source', resourceVersion, reason },
      ]);
  });

  it('is one as soon as its certificate has expired, without an event', () => {
    const reason = 'its certificate expired at 2026-11-23T00:00:00Z';
    expect(objectProblems(source(usable), NOW_MS + 1)).to.deep.equal([
      { object: 'source', problem: 'unusable-source', resourceVersion: '7', reason },
    ]);
  });

  it('is one where it does not say which CA signs', () => {
    const reason = 'its issuer does not say which CA signs';
    expect(objectProblems(source({ ...usable, trust: [] }), NOW_MS)).to.deep.equal([
      { object: 'source', problem: 'source-without-ca', resourceVersion: '7', reason },
    ]);
  });

  it('is warned about with what its issuer must write', () => {
    const alive = { ...usable, leaf: { ...leaf, notAfterMs: Infinity } };
    const linesOf = (state: NonNullable<ClusterState['source']>) =>
      observationLines()({ type: 'cluster/observed', observed: source(state) });
    expect(linesOf('absent')).to.deep.equal([
      {
        level: 'warn',
        event: 'source-unusable',
        message: 'Certificate in SOURCE_SECRET cannot be used, keeping the one that is mounted',
        fields: {
          object: 'source',
          reason: 'it does not exist',
          remedy: 'its issuer must write tls.crt (leaf first), an unencrypted tls.key and the ca.crt that signs it',
        },
      },
    ]);
    expect(linesOf({ ...alive, trust: [] })).to.deep.equal([
      {
        level: 'warn',
        event: 'source-without-ca',
        message: 'SOURCE_SECRET has no ca.crt, leaving the caBundles as they are',
        fields: { object: 'source', reason: 'its issuer does not say which CA signs' },
      },
    ]);
  });
});

describe('a target', () => {
  it('is a problem without a version while it does not exist', () => {
    expect(objectProblems(target('absent'))).to.deep.equal([
      { object: id, problem: 'missing-target', resourceVersion: '', reason: 'it does not exist' },
    ]);
  });

  it('that has come is logged once, although another one cannot be seen for the moment', () => {
    const lines = observationLines();
    const observe = (state: TargetState | 'absent') =>
      lines({
        type: 'cluster/observed',
        observed: {
          ...quiet,
          targets: [
            { id, state },
            { id: 'other', state: 'pending' },
          ],
        },
      }).map(({ level, event }) => [level, event]);
    expect(observe('absent')).to.deep.equal([['warn', 'target-missing']]);
    expect(observe(TARGET)).to.deep.equal([['info', 'target-found']]);
    expect(observe(TARGET)).to.deep.equal([]);
    expect(observe('absent')).to.deep.equal([['warn', 'target-missing']]);
  });
});
