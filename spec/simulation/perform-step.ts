import { catchError, concat, concatMap, defer, map, type Observable, of, throwError } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../../streams/leader.ts';
import type { CertificateInfo } from '../../streams/model.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Precondition } from '../../streams/step.ts';
import { chainProblem } from './chain-problem.ts';
import type { Collection, Entry } from './collection.ts';
import { newValues } from './new-values.ts';
import type { ProcessContext } from './process-context.ts';
import type { StoredAuthority } from './stored-objects.ts';

const isText = (problem: string | null): problem is string => problem !== null;

const names = (certificates: readonly CertificateInfo[]): readonly string[] =>
  certificates.map(({ fingerprint }) => fingerprint);

const WRITES_SECRET: ReadonlySet<ObjectStep['kind']> = new Set(['issue-leaf', 'copy-secret', 'update-secret-ca']);

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
  const readSecret = (): Observable<WriteResult> =>
    get(api.secret, 'secret').pipe(map((entry) => ({ object: 'secret', state: views.secret(entry) })));
  const readSource = (): Observable<WriteResult> =>
    get(api.source, 'source').pipe(map((entry) => ({ object: 'source', state: views.source(entry) })));
  const readAuthority = (): Observable<WriteResult> =>
    get(api.authority, 'authority').pipe(map((entry) => ({ object: 'ca', state: views.authority(entry) })));
  const read = (step: ObjectStep): Observable<WriteResult> => {
    if (step.kind === 'inject') {
      const id = step.target;
      return get(api.target, id).pipe(map((entry) => ({ object: 'target', id, state: views.target(entry) })));
    }
    return WRITES_SECRET.has(step.kind) ? readSecret() : readAuthority();
  };

  /** Everything that comes before the write; then the write itself, as what the API server does with it. */
  const prepare = (step: ObjectStep): Observable<() => WriteResult> => {
    const write = (name: string) => ({ by: machine.name, name, why: step.kind });
    const fresh = newValues(pki, { ...scenario, names: scenario.policy.names, nowMs: clock.wallMs() });
    const authority = (plannedOn: { readonly resourceVersion: string }) =>
      get(api.authority, 'authority').pipe(map((entry) => unmoved(entry, plannedOn)));
    const stillStands = ({ object, state }: Precondition): Observable<unknown> =>
      object === 'ca' ? authority(state) : get(api[object], object).pipe(map((entry) => unmoved(entry, state)));
    const putAuthority =
      (plannedOn: string | null, change: (value: StoredAuthority | null) => StoredAuthority) => () => {
        const entry =
          plannedOn === null
            ? api.authority.create(write('authority'), change(null))
            : api.authority.update(write('authority'), plannedOn, change);
        return { object: 'ca', state: views.authority(entry) } as const;
      };

    switch (step.kind) {
      case 'issue-ca': {
        const { plannedOn: plannedOn } = step;
        if (plannedOn === 'absent') {
          const value = fresh.authority(null, names(step.keep));
          return of(putAuthority(null, () => value));
        }
        return authority(plannedOn).pipe(
          map(({ value }) => fresh.authority(value, names(step.keep))),
          map((value) => putAuthority(plannedOn.resourceVersion, () => value)),
        );
      }
      case 'extend-ca-bundle':
      case 'prune-ca-bundle': {
        const own = step.plannedOn.current === null ? [] : [step.plannedOn.current];
        const bundle = names([...own, ...step.keep]);
        const dropped = step.keep.length === 0 ? { bridges: [] } : {};
        return of(putAuthority(step.plannedOn.resourceVersion, (value) => ({ ...value!, bundle, ...dropped })));
      }
      case 'issue-leaf':
        return authority(step.ca).pipe(
          map(({ value }) => fresh.secret(value, names(step.ca.bundle))),
          map((value) => (): WriteResult => {
            const entry =
              step.plannedOn === 'absent'
                ? api.secret.create(write('secret'), value)
                : api.secret.update(write('secret'), step.plannedOn.resourceVersion, () => value);
            return { object: 'secret', state: views.secret(entry) };
          }),
        );
      case 'copy-secret': {
        const { plannedOn, trust, acceptedBy } = step;
        return get(api.source, 'source').pipe(
          map((entry) => unmoved(entry, step.source)),
          map(({ value: { crt, key, trust: own } }) => {
            const anchors = [...(own.length === 0 ? [] : [own]), ...acceptedBy.map(names)];
            const problem = anchors.map((each) => chainProblem(pki, crt ?? '', each, clock.wallMs())).find(isText);
            if (problem !== undefined) throw new Problem(`the source is not relayed: ${problem}`, 422);
            return { crt, key, trust: names(trust) };
          }),
          map((value) => (): WriteResult => {
            const entry =
              plannedOn === 'absent'
                ? api.secret.create(write('secret'), value)
                : api.secret.update(write('secret'), plannedOn.resourceVersion, () => value);
            return { object: 'secret', state: views.secret(entry) };
          }),
        );
      }
      case 'update-secret-ca':
        return of((): WriteResult => {
          const entry = api.secret.update(write('secret'), step.plannedOn.resourceVersion, (value) => ({
            ...value,
            trust: names(step.trust),
          }));
          return { object: 'secret', state: views.secret(entry) };
        });
      case 'inject': {
        const id = step.target;
        const bundle = names(step.trust);
        return get(api.target, id).pipe(
          map((entry) => unmoved(entry, step.plannedOn)),
          concatMap((entry) =>
            step.precondition === undefined ? of(entry) : stillStands(step.precondition).pipe(map(() => entry)),
          ),
          map(({ version }) => () => {
            if (api.refusing.has(id)) throw new Problem(`${id} is invalid`, 422);
            const entry = api.target.update(write(id), String(version), ({ bundles }) => ({
              bundles: bundles.map(() => bundle),
              otherManager: null,
            }));
            return { object: 'target', id, state: views.target(entry) };
          }),
        );
      }
    }
  };

  const readBack = (step: ObjectStep, written: WriteResult): Observable<WriteResult> =>
    read(step).pipe(catchError((error: unknown) => (error instanceof Problem ? of(written) : throwError(() => error))));

  return {
    refresh: (step) => {
      if (step.kind === 'copy-secret') return concat(readSource(), read(step));
      if (step.kind !== 'inject' || step.precondition === undefined) return read(step);
      const reading = { secret: readSecret, ca: readAuthority, source: readSource }[step.precondition.object];
      return concat(reading(), read(step));
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
