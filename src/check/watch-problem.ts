import { catchError, filter, firstValueFrom, map, of, take } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';

/** Opens a watch of one object by its name, and closes it. Returns why it does not open, null when it does. */
export const watchProblem = (client: KubeClient, path: string, name: string): Promise<string | null> =>
  firstValueFrom(
    client
      .stream({
        method: 'GET',
        path,
        query: { watch: 'true', timeoutSeconds: '5', fieldSelector: `metadata.name=${name}` },
      })
      .pipe(
        filter(({ type }) => type === 'opened'),
        take(1),
        map(() => null),
        catchError((error: unknown) => {
          if (!(error instanceof Problem)) throw error;
          return of(error.message);
        }),
      ),
    { defaultValue: 'it ended before it began' },
  );
