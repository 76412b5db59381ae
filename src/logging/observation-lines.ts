import type { ClusterState } from '../../streams/observe-cluster.ts';
import { desiredTrust } from '../../streams/plan-external.ts';
import { sourceProblem } from '../../streams/plan-relay.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { type Line, line } from './log-lines.ts';

/** What keeps the leader from using an object as it is now. */
export interface ObjectProblem {
  /** `secret`, `ca`, `source` or a target's id. */
  readonly object: string;
  readonly problem:
    | 'foreign-ca'
    | 'foreign-secret'
    | 'unusable-pair'
    | 'partial-bundle'
    | 'unusable-source'
    | 'source-without-ca'
    | 'missing-target';
  /** Changes when the object does; empty for one that does not exist. */
  readonly resourceVersion: string;
  readonly reason: string;
}

const sourceProblems = (source: NonNullable<ClusterState['source']>, nowMs: number): readonly ObjectProblem[] => {
  const resourceVersion = typeof source === 'string' ? '' : source.resourceVersion;
  const reason = sourceProblem(source, nowMs);
  if (reason !== null) return [{ object: 'source', problem: 'unusable-source', resourceVersion, reason }];
  if (typeof source === 'string' || desiredTrust(source).length > 0) return [];
  const why = 'its issuer does not say which CA signs';
  return [{ object: 'source', problem: 'source-without-ca', resourceVersion, reason: why }];
};

/**
 * Finds the problems of the objects that the leader watches.
 *
 * @param nowMs wall clock: a certificate expires without an event
 */
export const objectProblems = (
  { secret, ca, source, targets }: ClusterState,
  nowMs = Date.now(),
): readonly ObjectProblem[] => {
  const problems: ObjectProblem[] = [];
  if (typeof ca !== 'string' && ca.foreign != null) {
    const { resourceVersion, foreign: reason } = ca;
    problems.push({ object: 'ca', problem: 'foreign-ca', resourceVersion, reason });
  }
  if (typeof secret !== 'string') {
    const { resourceVersion, problem, foreign, trustProblems = [] } = secret;
    if (foreign != null)
      problems.push({ object: 'secret', problem: 'foreign-secret', resourceVersion, reason: foreign });
    else if (problem !== null)
      problems.push({ object: 'secret', problem: 'unusable-pair', resourceVersion, reason: problem });
    if (trustProblems.length > 0) {
      const reason = trustProblems.join('; ');
      problems.push({ object: 'secret', problem: 'partial-bundle', resourceVersion, reason });
    }
  }
  if (source !== undefined) problems.push(...sourceProblems(source, nowMs));
  for (const { id, state } of targets) {
    if (state === 'absent')
      problems.push({ object: id, problem: 'missing-target', resourceVersion: '', reason: 'it does not exist' });
  }
  return problems;
};

const lineOf = ({ object, problem, reason }: ObjectProblem): Line => {
  switch (problem) {
    case 'foreign-ca': {
      const remedy = 'correct ca.crt and ca.key, or delete the Secret to have a CA generated';
      return line('error', 'ca-foreign', { object, reason, remedy });
    }
    case 'foreign-secret': {
      const remedy = 'name another Secret in SECRET_NAME, or delete this one to have a certificate issued into it';
      return line('error', 'secret-foreign', { object, reason, remedy });
    }
    case 'unusable-pair': {
      const remedy = 'its issuer must write tls.crt (leaf first) and an unencrypted tls.key';
      return line('warn', 'secret-unusable', { object, reason, remedy });
    }
    case 'partial-bundle':
      return line('warn', 'secret-ca-partial', { object, reason });
    case 'unusable-source': {
      const remedy = 'its issuer must write tls.crt (leaf first), an unencrypted tls.key and the ca.crt that signs it';
      return line('warn', 'source-unusable', { object, reason, remedy });
    }
    case 'source-without-ca':
      return line('warn', 'source-without-ca', { object, reason });
    case 'missing-target':
      return line('warn', 'target-missing', { target: object, remedy: 'create it, or correct CA_BUNDLE_TARGETS' });
  }
};

/**
 * Turns the leader's observations into log lines: a problem once for each version of its object, and the arrival of a
 * target that was missing. An observation is repeated at every change of any object, so that without memory each problem
 * would be logged several times a minute.
 */
export const observationLines = (): ((event: ReplicaEvent) => readonly Line[]) => {
  let logged = new Map<string, ObjectProblem>();
  return (event) => {
    if (event.type !== 'cluster/observed') return [];
    const { observed } = event;
    const current = new Map(objectProblems(observed).map((each) => [`${each.problem} ${each.object}`, each]));
    const news = [...current].filter(([key, { resourceVersion, reason }]) => {
      const before = logged.get(key);
      return before?.resourceVersion !== resourceVersion || before.reason !== reason;
    });
    const found = [...logged.values()].filter(
      ({ object, problem }) =>
        problem === 'missing-target' &&
        observed.targets.some(({ id, state }) => id === object && typeof state !== 'string'),
    );
    // A target that cannot be seen for a moment is not a new absence.
    const pending = [...logged].filter(([key, { object }]) => {
      const isPending = observed.targets.some(
        ({ id, state }) => id === object && (state === 'pending' || state === 'unreadable'),
      );
      return isPending && !current.has(key);
    });
    logged = new Map([...pending, ...current]);
    return [
      ...news.map(([, problem]) => lineOf(problem)),
      ...found.map(({ object }) => line('info', 'target-found', { target: object })),
    ];
  };
};
