import { expect } from 'chai';
import { observationLines } from '../../src/logging/observation-lines.ts';
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
