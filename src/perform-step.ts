import { catchError, concat, concatMap, map, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../streams/leader.ts';
import type { Touched } from '../streams/observe-cluster.ts';
import { Problem } from '../streams/problem.ts';
import type { Account } from '../streams/step.ts';
import type { ClusterPaths } from './cluster-paths.ts';
import type { KubeClient } from './kube/client.ts';
import { understand } from './kube/understand.ts';
import type { NewSecrets } from './new-secrets.ts';
import { objectStates } from './object-states.ts';
import { stepRequest } from './step-request.ts';

/** Carries out one write of the leader, and reads back what became of it. */
export const performStep = (
  client: KubeClient,
  paths: ClusterPaths,
  issue: NewSecrets,
): Pick<LeaderPorts, 'perform' | 'refresh'> => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });

  const touch = (step: ObjectStep, object: unknown): Touched => {
    if (step.kind === 'inject') {
      const { type } = paths.target(step.target);
      return { object: 'target', id: step.target, state: objectStates.target(type)(object) };
    }
    return step.kind === 'issue-leaf' || step.kind === 'publish-trust'
      ? { object: 'secret', state: objectStates.secret(object) }
      : { object: 'authority', state: objectStates.authority(object) };
  };

  const standing = (step: ObjectStep): string => {
    if (step.kind === 'inject') return paths.target(step.target).path;
    return step.kind === 'issue-leaf' || step.kind === 'publish-trust' ? paths.secret.path : paths.authority.path;
  };

  const accountNow = ({ object }: Account): Observable<Touched> =>
    get(paths[object].path).pipe(
      map((now) =>
        understand('a Secret', () =>
          object === 'secret'
            ? { object, state: objectStates.secret(now) }
            : { object, state: objectStates.authority(now) },
        ),
      ),
    );

  /** What counts is what stands there; when that cannot be read, what the API server said of the write, which it took. */
  const readBack = (step: ObjectStep, written: unknown): Observable<unknown> =>
    get(standing(step)).pipe(
      catchError((error: unknown) => (error instanceof Problem ? of(written) : throwError(() => error))),
    );

  const request = stepRequest(client, paths, issue);

  return {
    refresh: (step) => {
      const object$ = get(standing(step)).pipe(map((object) => understand(step.kind, () => touch(step, object))));
      return step.kind === 'inject' && step.account !== undefined ? concat(accountNow(step.account), object$) : object$;
    },
    perform: (step, fence) =>
      request(step).pipe(
        concatMap((write) => {
          if (!fence()) return throwError(() => new Problem('no longer the leader, nothing was written'));
          return client.send(write);
        }),
        concatMap((written) => (step.kind === 'inject' ? readBack(step, written) : of(written))),
        map((object) => understand(step.kind, () => touch(step, object))),
      ),
  };
};
