import { catchError, concat, concatMap, defer, map, type Observable, of, throwError } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../../streams/leader.ts';
import type { CertificateFacts } from '../../streams/model.ts';
import type { Touched } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Account } from '../../streams/step.ts';
import type { Collection, Entry } from './collection.ts';
import { newValues } from './new-values.ts';
import type { ProcessContext } from './process-context.ts';
import type { StoredAuthority } from './stored-objects.ts';

const names = (certificates: readonly CertificateFacts[]): readonly string[] =>
  certificates.map(({ fingerprint }) => fingerprint);

/** As src/cluster/step-executor.ts, request by request: fresh reads, resourceVersions, the fence right before the write. */
export const performStep = ({
  api,
  clock,
  host,
  machine,
  net,
  pki,
  scenario,
  tell,
  views,
}: ProcessContext): Pick<LeaderPorts, 'perform' | 'refresh'> => {
  const get = <T>(from: Collection<T>, name: string): Observable<Entry<T>> =>
    net.request(host, `GET ${name}`, () => {
      const entry = from.get(name);
      if (entry === null) throw new Problem(`${name} is not found`, 404);
      return entry;
    });
  const unmoved = <T>(entry: Entry<T>, { resourceVersion }: { readonly resourceVersion: string }): Entry<T> => {
    if (String(entry.version) !== resourceVersion)
      throw new Problem(`${entry.name} changed before it was written`, 409);
    return entry;
  };
  const readSecret = (): Observable<Touched> =>
    get(api.secret, 'secret').pipe(map((entry) => ({ object: 'secret', state: views.secret(entry) })));
  const readAuthority = (): Observable<Touched> =>
    get(api.authority, 'authority').pipe(map((entry) => ({ object: 'authority', state: views.authority(entry) })));
  const read = (step: ObjectStep): Observable<Touched> => {
    if (step.kind === 'inject') {
      const id = step.target;
      return get(api.target, id).pipe(map((entry) => ({ object: 'target', id, state: views.target(entry) })));
    }
    return step.kind === 'issue-leaf' || step.kind === 'publish-trust' ? readSecret() : readAuthority();
  };

  /** Everything that comes before the write; then the write itself, as what the API server does with it. */
  const prepare = (step: ObjectStep): Observable<() => Touched> => {
    const write = (name: string) => ({ by: machine.name, name, why: step.kind });
    const fresh = newValues(pki, { ...scenario, names: scenario.policy.names, nowMs: clock.wallMs() });
    const authority = (basis: { readonly resourceVersion: string }) =>
      get(api.authority, 'authority').pipe(map((entry) => unmoved(entry, basis)));
    const stillStands = ({ object, state }: Account): Observable<unknown> =>
      object === 'authority' ? authority(state) : get(api.secret, 'secret').pipe(map((entry) => unmoved(entry, state)));
    const putAuthority = (basis: string | null, change: (value: StoredAuthority | null) => StoredAuthority) => () => {
      const entry =
        basis === null
          ? api.authority.create(write('authority'), change(null))
          : api.authority.update(write('authority'), basis, change);
      return { object: 'authority', state: views.authority(entry) } as const;
    };

    switch (step.kind) {
      case 'issue-authority': {
        const { basis } = step;
        if (basis === 'absent') {
          const value = fresh.authority(null, names(step.keep));
          return of(putAuthority(null, () => value));
        }
        return authority(basis).pipe(
          map(({ value }) => fresh.authority(value, names(step.keep))),
          map((value) => putAuthority(basis.resourceVersion, () => value)),
        );
      }
      case 'adopt-authority':
      case 'narrow-authority': {
        const own = step.basis.current === null ? [] : [step.basis.current];
        const bundle = names([...own, ...step.keep]);
        const dropped = step.keep.length === 0 ? { bridges: [] } : {};
        return of(putAuthority(step.basis.resourceVersion, (value) => ({ ...value!, bundle, ...dropped })));
      }
      case 'issue-leaf':
        return authority(step.authority).pipe(
          map(({ value }) => fresh.secret(value, names(step.authority.bundle))),
          map((value) => (): Touched => {
            const entry =
              step.basis === 'absent'
                ? api.secret.create(write('secret'), value)
                : api.secret.update(write('secret'), step.basis.resourceVersion, () => value);
            return { object: 'secret', state: views.secret(entry) };
          }),
        );
      case 'publish-trust':
        return of((): Touched => {
          const entry = api.secret.update(write('secret'), step.basis.resourceVersion, (value) => ({
            ...value,
            trust: names(step.trust),
          }));
          return { object: 'secret', state: views.secret(entry) };
        });
      case 'inject': {
        const id = step.target;
        const bundle = names(step.trust);
        return get(api.target, id).pipe(
          map((entry) => unmoved(entry, step.basis)),
          concatMap((entry) =>
            step.account === undefined ? of(entry) : stillStands(step.account).pipe(map(() => entry)),
          ),
          map(({ version }) => () => {
            const entry = api.target.update(write(id), String(version), ({ bundles }) => ({
              bundles: bundles.map(() => bundle),
              rival: null,
            }));
            return { object: 'target', id, state: views.target(entry) };
          }),
        );
      }
    }
  };

  const readBack = (step: ObjectStep, written: Touched): Observable<Touched> =>
    read(step).pipe(catchError((error: unknown) => (error instanceof Problem ? of(written) : throwError(() => error))));

  return {
    refresh: (step) => {
      if (step.kind !== 'inject' || step.account === undefined) return read(step);
      return concat(step.account.object === 'secret' ? readSecret() : readAuthority(), read(step));
    },
    perform: (step, fence) =>
      defer(() => prepare(step)).pipe(
        concatMap((write) => {
          if (!fence()) return throwError(() => new Problem('no longer the leader, nothing was written'));
          tell({ type: 'sent', machine, step });
          return net.request(host, `write (${step.kind})`, write);
        }),
        concatMap((touched) => (step.kind === 'inject' ? readBack(step, touched) : of(touched))),
      ),
  };
};
