import { finalize, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import type { Config } from '../../src/config/config.ts';
import type { DaemonDependencies } from '../../src/daemon/resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest, KubeResponse } from '../../src/kube/request.ts';
import { parse } from '../config/parse.ts';
import { until } from '../support/until.ts';

/** What a daemon in this process has logged. */
export interface ToldLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ClusterOfOneOptions {
  /** The hash that somebody else's Lease announces now. By default there is no Lease. */
  readonly announced?: () => string;
  /** Sees each request, and may answer it in the place of the cluster. */
  readonly answer?: (request: KubeRequest) => Observable<unknown> | null;
}

export interface ClusterOfOne {
  readonly dependencies: DaemonDependencies;
  readonly lines: readonly ToldLine[];
  /** The first line with this message that has come or will come. */
  readonly line: (message: string) => Promise<ToldLine>;
  /** Each answer of the API server. */
  readonly response$: Subject<KubeResponse>;
  /** The order in which the Lease was released and the client closed. */
  readonly happened: string[];
  /** The client has closed once this is resolved. */
  readonly mayClose: PromiseWithResolvers<void>;
}

interface LeaseBody {
  readonly spec?: { readonly holderIdentity?: string };
}

const announcing = (hash: string) => ({
  metadata: {
    name: 'lease',
    uid: 'u',
    resourceVersion: '1',
    annotations: {
      'kubetemplater.io/cert-ready': 'true',
      'kubetemplater.io/cert-hash': hash,
      'kubetemplater.io/cert-valid-until': '2099-01-01T00:00:00Z',
    },
  },
  spec: { holderIdentity: 'other', leaseDurationSeconds: 3_600, renewTime: new Date().toISOString() },
});

/** What a daemon in this process is given: a cluster with nothing but a Lease, whose first claim succeeds, and a log. */
export const clusterOfOne = ({ announced, answer = () => null }: ClusterOfOneOptions = {}): ClusterOfOne => {
  const [happened, lines]: [string[], ToldLine[]] = [[], []];
  const mayClose = Promise.withResolvers<void>();
  const response$ = new Subject<KubeResponse>();
  let version = 0;
  let spec: LeaseBody['spec'];
  const lease = () =>
    announced === undefined
      ? { metadata: { name: 'lease', uid: 'u', resourceVersion: String(version) }, spec }
      : announcing(announced());
  const isThere = () => announced !== undefined || version > 0;
  const send = (request: KubeRequest): Observable<unknown> => {
    const { method, path, body } = request;
    const other$ = answer(request);
    if (other$ !== null) return other$;
    if (!path.includes('/leases')) return method === 'GET' ? NEVER : of();
    if (method === 'GET' && path.endsWith('/leases'))
      return of({ metadata: { resourceVersion: '0' }, items: announced === undefined ? [] : [lease()] });
    if (method === 'GET' && !isThere()) return throwError(() => new ApiError('not found', { status: 404 }));
    if (method === 'GET') return of(lease());
    version += 1;
    spec = { ...spec, ...(body as LeaseBody).spec };
    if (spec.holderIdentity === '') happened.push('Lease released');
    return of(lease());
  };
  const client: KubeClient = {
    server: 'https://nowhere',
    response$,
    connect: () => Promise.resolve(),
    send,
    stream: ({ path }) => NEVER.pipe(finalize(() => path.includes('/leases') && happened.push('Lease watch ended'))),
    webSocket: () => Promise.reject(new Error('not used')),
    clockSkewMs: () => null,
    [Symbol.asyncDispose]: () => {
      happened.push('client closes');
      return mayClose.promise;
    },
  };
  const log =
    (level: ToldLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void lines.push({ level, message, fields });
  return {
    dependencies: {
      client: () => Promise.resolve(client),
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      version: 'spec',
      directory: '.',
    },
    lines,
    line: async (message) => {
      const found = () => lines.find((each) => each.message === message);
      await until(() => found() !== undefined, 10_000);
      return found()!;
    },
    response$,
    happened,
    mayClose,
  };
};

/** The configuration of a replica that keeps no certificate, on top of what is enough. */
export const configured = (env: Readonly<Record<string, string>> = {}): Config => {
  const parsed = parse({ WEBHOOK_HANDLER: 'builtin:allow', CERT_DIR: '/nowhere', ...env });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return parsed.config;
};
