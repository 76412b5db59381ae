import { distinctUntilChanged, ignoreElements, map, merge, NEVER, type Observable } from 'rxjs';
import type { LeaseSnapshot, Replica } from '../../streams/model.ts';
import {
  type ClusterState,
  type ObservationPorts,
  observeCluster,
  type WriteResult,
} from '../../streams/observe-cluster.ts';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import { Problem } from '../../streams/problem.ts';
import type { Listing, WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';

const policy = { staleAfterMs: 60_000, random: noJitter };

const listing = <T>(...items: readonly T[]): Listing<T> => ({ resourceVersion: '1', items });

const port = <T>(list$: Observable<Listing<T>>, watch$: Observable<WatchFrame<T>> = NEVER): WatchPort<T> => ({
  list: () => list$,
  watch: () => watch$,
});

const silent = port<never>(NEVER);

const quiet: ObservationPorts = { secretWatch: silent, caWatch: silent, targets: [], replicaWatch: silent };

const a1 = clusterOf.secret('a1:A');
const a2 = clusterOf.secret('a2:A', {}, '7');
const ca = clusterOf.authority('A');
const ca2 = clusterOf.authority('B+A', {}, '7');
const bundle = (names: string, resourceVersion?: string): TargetState =>
  clusterOf.targetState(names, {}, resourceVersion);
const pods: readonly Replica[] = [{ name: 'pod-0', servingHash: 'a1', goneAtMs: null }];

const lease = (resourceVersion = '1'): LeaseSnapshot => ({ ...clusterOf.lease(), resourceVersion });

/** `LEASE VERSION SECRET CA TARGETS REPLICAS`, each as short as it gets. */
const short = ({ lease: { resourceVersion }, secret, ca: authority, targets, replicas }: ClusterState): string => {
  const names = (certificates: readonly { readonly fingerprint: string }[]) =>
    certificates.map(({ fingerprint }) => fingerprint).join('+') || 'none';
  const states = targets.map(
    ({ id, state }) => `${id}=${typeof state === 'string' ? state : names(state.bundles[0]!)}`,
  );
  return [
    resourceVersion,
    typeof secret === 'string' ? secret : secret.hash,
    typeof authority === 'string' ? authority : names(authority.bundle),
    `[${states.join(' ')}]`,
    typeof replicas === 'string' ? replicas : replicas.map(({ name }) => name).join(' '),
  ].join(', ');
};

const observe = (
  ports: Partial<ObservationPorts>,
  lease$: Observable<LeaseSnapshot>,
  touched$: Observable<WriteResult> = NEVER,
) => {
  const { observed$, trouble$ } = observeCluster(lease$, touched$, { ...quiet, ...ports }, policy);
  return { observed$: observed$.pipe(map(short)), trouble$ };
};

describe('observeCluster', () => {
  it('says nothing before there is a Lease, then what is known, which may be nothing', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' --l--m', { l: lease('1'), m: lease('2') });
      const unsub = '      ^-----!';
      const expected = '   --a--b';
      expectObservable(observe({}, lease$).observed$, unsub).toBe(expected, {
        a: '1, pending, pending, [], pending',
        b: '2, pending, pending, [], pending',
      });
      expectSubscriptions(lease$.subscriptions).toBe(unsub);
    });
  });

  it('has a source where the issuer reads one, from its watch and from reads of the leader', () => {
    marbles(({ hot, expectObservable }) => {
      const lease$ = hot('  l', { l: lease() });
      const list$ = hot('   --s', { s: listing(a1) });
      const touched$ = hot('---(xt)', {
        x: { object: 'secret', state: clusterOf.secret('c1:C', {}, '9') },
        t: { object: 'source', state: a2 },
      } satisfies Record<string, WriteResult>);
      const ports = { ...quiet, sourceWatch: port(list$) };
      const { observed$ } = observeCluster(lease$, touched$, ports, policy);
      const source$ = observed$.pipe(
        map(({ source }) => (typeof source === 'object' ? source.hash : source)),
        distinctUntilChanged(),
      );
      expectObservable(source$, '^----!').toBe('p-ab', { p: 'pending', a: 'a1', b: 'a2' });
      const { observed$: without$ } = observeCluster(lease$, NEVER, quiet, policy);
      expectObservable(without$.pipe(map((seen) => 'source' in seen)), '^----!').toBe('f', { f: false });
    });
  });

  it('is one value of all parts, renewed whenever any of them changes', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const ports: ObservationPorts = {
        secretWatch: port(cold('-(s|)', { s: listing(a1) })),
        caWatch: port(cold('--(c|)', { c: listing(ca) })),
        targets: [
          { id: 'one', watch: port(cold('---(t|)', { t: listing(bundle('A')) })) },
          { id: 'two', watch: port(cold('----(t|)', { t: listing<TargetState>() })) },
        ],
        replicaWatch: port(cold('-----(p|)', { p: listing(...pods) })),
      };
      const expected = 'abcdef';
      expectObservable(observe(ports, hot('l', { l: lease() })).observed$, '^-----!').toBe(expected, {
        a: '1, pending, pending, [one=pending two=pending], pending',
        b: '1, a1, pending, [one=pending two=pending], pending',
        c: '1, a1, A, [one=pending two=pending], pending',
        d: '1, a1, A, [one=A two=pending], pending',
        e: '1, a1, A, [one=A two=absent], pending',
        f: '1, a1, A, [one=A two=absent], pod-0',
      });
    });
  });

  it('follows what the watches tell', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = cold<WatchFrame<SecretState>>('o--a--d', {
        o: { type: 'opened' },
        a: { type: 'applied', resourceVersion: '7', object: a2 },
        d: { type: 'deleted', resourceVersion: '8', object: { ...a2, resourceVersion: '8' } },
      });
      const secretWatch = port(cold('-(s|)', { s: listing(a1) }), watch$);
      expectObservable(observe({ secretWatch }, hot('l', { l: lease() })).observed$, '^-------!').toBe('uv--w--x', {
        u: '1, pending, pending, [], pending',
        v: '1, a1, pending, [], pending',
        w: '1, a2, pending, [], pending',
        x: '1, absent, pending, [], pending',
      });
    });
  });

  it('takes what we have written for known at once, each object for itself', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const touched$ = hot<WriteResult>('---s-c-t-x-', {
        s: { object: 'secret', state: a2 },
        c: { object: 'ca', state: ca2 },
        t: { object: 'target', id: 'two', state: bundle('B+A', '7') },
        x: { object: 'target', id: 'nobody knows', state: bundle('X', '7') },
      });
      const ports: Partial<ObservationPorts> = {
        secretWatch: port(cold('(s|)', { s: listing(a1) })),
        caWatch: port(cold('(c|)', { c: listing<CaState>(ca) })),
        targets: ['one', 'two'].map((id) => ({ id, watch: port(cold('(t|)', { t: listing(bundle('A')) })) })),
      };
      const unsub = '                         ^----------!';
      const expected = '                      --0s-c-t---';
      const { observed$ } = observe(ports, cold('--l', { l: lease() }), touched$);
      const before = '1, a1, A, [one=A two=A], pending';
      expectObservable(observed$, unsub).toBe(expected, {
        0: before,
        s: '1, a2, A, [one=A two=A], pending',
        c: '1, a2, B+A, [one=A two=A], pending',
        t: '1, a2, B+A, [one=A two=B+A], pending',
      });
      expectSubscriptions(touched$.subscriptions).toBe([unsub, unsub, unsub, unsub]);
    });
  });

  it('takes what was read again as it stands for no news', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const touched$ = hot<WriteResult>('--s--', { s: { object: 'secret', state: { ...a1 } } });
      const secretWatch = port(cold('(s|)', { s: listing(a1) }));
      const { observed$ } = observe({ secretWatch }, cold('-l', { l: lease() }), touched$);
      expectObservable(observed$, '^----!').toBe('-a---', { a: '1, a1, pending, [], pending' });
    });
  });

  it('names the Secret, its source and the replicas too when it cannot watch them', () => {
    marbles(({ cold, expectObservable }) => {
      const refused$ = cold<never>('-#', undefined, new Problem('may not list', 403));
      const refusing = port<never>(refused$);
      const ports = { secretWatch: refusing, sourceWatch: refusing, replicaWatch: refusing };
      const { observed$, trouble$ } = observe(ports, cold('l', { l: lease() }));
      const names$ = merge(trouble$.pipe(map(({ object }) => object)), observed$.pipe(ignoreElements()));
      expectObservable(names$, '^--!').toBe('-(srx)', { s: 'secret', r: 'replicas', x: 'source' });
    });
  });

  it('tells by name which object it cannot watch, and tries again later and later', () => {
    marbles(({ cold, expectObservable }) => {
      const refused$ = cold<never>('-#    ', undefined, new Problem('may not list', 403));
      const lost$ = cold<never>('   -----#', undefined, new Problem('connection refused'));
      const expected = '            a(xb)(yc) 793ms z';
      const ports = { caWatch: port<never>(refused$), targets: [{ id: 'one', watch: port<never>(lost$) }] };
      const { observed$, trouble$ } = observe(ports, cold('l', { l: lease() }));
      const trouble = (object: string, status: number | null, error: string, retryInMs: number) => ({
        type: 'watch/unavailable',
        object,
        status,
        error,
        retryInMs,
      });
      expectObservable(merge(trouble$, observed$), '^ 804ms !').toBe(expected, {
        a: '1, pending, pending, [one=pending], pending',
        x: trouble('ca', 403, 'may not list', 800),
        b: '1, pending, forbidden, [one=pending], pending',
        c: '1, pending, forbidden, [one=unreadable], pending',
        y: trouble('one', null, 'connection refused', 800),
        z: { ...trouble('ca', 403, 'may not list', 1_600), repeated: true },
      });
    });
  });

  it('opens one watch for each object, however many look, and closes it with the last of them', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const listed$ = cold('  (l|)', { l: listing<never>() });
      const watches = ['secret', 'ca', 'one', 'replicas'].map(() => cold<never>('-'));
      const [secretWatch, caWatch, one, replicaWatch] = watches.map((watch$) => port(listed$, watch$));
      const { observed$, trouble$ } = observeCluster(
        cold('l', { l: lease() }),
        NEVER,
        {
          secretWatch: secretWatch!,
          caWatch: caWatch!,
          targets: [{ id: 'one', watch: one! }],
          replicaWatch: replicaWatch!,
        },
        policy,
      );
      expectObservable(trouble$, '             ^--!').toBe('----');
      expectObservable(observed$.pipe(ignoreElements()), '^----!').toBe('------');
      for (const watch$ of watches) expectSubscriptions(watch$.subscriptions).toBe('^----!');
      expectSubscriptions(listed$.subscriptions).toBe(['(^!)', '(^!)', '(^!)', '(^!)']);
    });
  });
});
