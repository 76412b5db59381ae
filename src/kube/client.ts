import type { IncomingHttpHeaders } from 'node:http';
import { type Observable, Subject } from 'rxjs';
import { authorizedExchange, type Wire } from './authorized-exchange.ts';
import { readJson, readLines, type StreamLine } from './body.ts';
import type { Credentials } from './credentials.ts';
import { ApiError } from './errors.ts';
import { type InCluster, inClusterCredentials } from './in-cluster.ts';
import { kubeconfigCredentials } from './kubeconfig.ts';
import type { KubeRequest, KubeResponse } from './request.ts';
import { openTransport } from './transport.ts';

export interface KubeClientOptions {
  /** Path, or paths joined as in KUBECONFIG; null inside a pod. */
  readonly kubeconfig: string | null;
  /** Needed when there is no kubeconfig. */
  readonly inCluster?: InCluster | null;
  readonly userAgent: string;
}

/**
 * The API server. Requests are cold: nothing is sent before somebody subscribes, and unsubscribing aborts at once,
 * even while connecting. They err with a `KubeProblem`. All share one pool of HTTP/1.1 connections.
 */
export interface KubeClient extends AsyncDisposable {
  readonly server: string;
  /** One for each answer, and for each request that got none. */
  readonly response$: Observable<KubeResponse>;
  /** Opens the connection that the first request will use, while others get ready to ask. Fails in silence: that one tells. */
  connect(): Promise<void>;
  /** One JSON answer (null when the body is empty), then completes. Within `timeoutMs`, by default 10 s. */
  send(request: KubeRequest): Observable<unknown>;
  /** Opened within `timeoutMs`, then open until the server ends it: silence is for the caller to judge. */
  stream(request: KubeRequest): Observable<StreamLine>;
  /** The server's clock minus this machine's, to about a second, as of the last answer; null before. */
  readonly clockSkewMs: () => number | null;
}

const credentialsFor = ({ kubeconfig, inCluster }: KubeClientOptions): Promise<Credentials> | Credentials => {
  if (kubeconfig !== null) return kubeconfigCredentials(kubeconfig);
  if (inCluster) return inClusterCredentials(inCluster);
  throw new ApiError('neither KUBECONFIG nor KUBERNETES_SERVICE_HOST says where the API server is');
};

/** Reads the configuration; connects only once something is asked. Rejects with a `KubeProblem` when it cannot be used. */
export const openKubeClient = async (options: KubeClientOptions): Promise<KubeClient> => {
  const credentials = await credentialsFor(options);
  const transport = openTransport();
  const response$ = new Subject<KubeResponse>();
  let skewMs: number | null = null;

  const wire: Wire = {
    credentials,
    transport,
    userAgent: options.userAgent,
    onResponse: (response) => response$.next(response),
    onHeaders({ date }: IncomingHttpHeaders) {
      const serverMs = typeof date === 'string' ? Date.parse(date) : NaN;
      if (!Number.isNaN(serverMs)) skewMs = serverMs - Date.now();
    },
  };

  const client: KubeClient = {
    server: credentials.server,
    response$: response$.asObservable(),
    async connect() {
      try {
        transport.poolFor(await credentials.access()).connect();
      } catch {
        // No credentials, say.
      }
    },
    send(request) {
      return authorizedExchange(wire, request, readJson);
    },
    stream(request) {
      return authorizedExchange(wire, request, readLines);
    },
    clockSkewMs: () => skewMs,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
    },
  };
  return client;
};
