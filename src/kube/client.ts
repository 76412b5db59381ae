import type { IncomingHttpHeaders } from 'node:http';
import { type Observable, Subject } from 'rxjs';
import { authorizedExchange, type Wire } from './authorized-exchange.ts';
import { readJson, readLines, type StreamLine } from './body.ts';
import type { Credentials } from './connection-pool.ts';
import { ApiError } from './errors.ts';
import { type InCluster, inClusterCredentials } from './in-cluster.ts';
import { kubeconfigCredentials } from './kubeconfig.ts';
import type { KubeRequest, KubeResponse } from './request.ts';
import { openTransport } from './transport.ts';
import type { WebSocketStream } from './web-socket.ts';

export interface KubeClientOptions {
  /** Path, or paths joined as in KUBECONFIG; null inside a pod. */
  readonly kubeconfig: string | null;
  /** The context of the kubeconfig; by default the current one. */
  readonly context?: string | null;
  /** Needed when there is no kubeconfig. */
  readonly inCluster?: InCluster | null;
  readonly userAgent: string;
}

/**
 * Client of the API server. Requests are cold: nothing is sent before the subscription, and unsubscribing aborts at once,
 * even while connecting. They err with an {@link ApiError}. All share one pool of HTTP/1.1 connections.
 */
export interface KubeClient extends AsyncDisposable {
  readonly server: string;
  /** One value for each response, and for each request without a response. */
  readonly response$: Observable<KubeResponse>;
  /** Opens the connection that the first request will use. Errors are ignored: that request reports them. */
  connect(): Promise<void>;
  /** Yields one JSON response (null for an empty body) within `timeoutMs`, by default 10 s, then completes. */
  send(request: KubeRequest): Observable<unknown>;
  /** Opens within `timeoutMs`, then stays open until the server ends it: the caller decides how long silence may last. */
  stream(request: KubeRequest): Observable<StreamLine>;
  /**
   * Opens a WebSocket under this subprotocol.
   *
   * @param signal ends the attempt
   */
  webSocket(request: KubeRequest, subprotocol: string, signal: AbortSignal): Promise<WebSocketStream>;
  /** The server's clock minus this machine's, accurate to about a second, as of the last response; null before it. */
  readonly clockSkewMs: () => number | null;
}

const credentialsFor = (options: KubeClientOptions): Promise<Credentials> | Credentials => {
  const { kubeconfig, context = null, inCluster } = options;
  if (kubeconfig !== null) return kubeconfigCredentials(kubeconfig, { context });
  if (inCluster) return inClusterCredentials(inCluster);
  throw new ApiError('no API server configured: set KUBECONFIG, or run in a Pod, where KUBERNETES_SERVICE_HOST is set');
};

/** Reads the configuration; connects at the first request. Rejects with an {@link ApiError} when it cannot be used. */
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
        // The first request reports why, for example missing credentials.
      }
    },
    send(request) {
      return authorizedExchange(wire, request, readJson);
    },
    stream(request) {
      return authorizedExchange(wire, request, readLines);
    },
    async webSocket(request, subprotocol, signal) {
      const { openWebSocket } = await import('./web-socket.ts');
      return openWebSocket(wire, request, subprotocol, signal);
    },
    clockSkewMs: () => skewMs,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
    },
  };
  return client;
};
