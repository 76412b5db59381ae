import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { portForward, TunnelError } from '../kube/port-forward.ts';
import type { Endpoint } from './cluster-backends.ts';

/** A way to an endpoint: a connection of TCP, or a tunnel through the API server. */
export interface Reach {
  /** Endpoints dialled at once. */
  readonly concurrency: number;
  /** Why this endpoint cannot be dialled this way, null when it can. */
  readonly obstacle: (endpoint: Endpoint) => string | null;
  /** @throws Error with the code of the system call */
  readonly open: (endpoint: Endpoint, namespace: string, signal: AbortSignal) => Promise<Duplex>;
  /**
   * Translates what a tunnel reports after it has opened: into {@link Refused} or {@link TimedOut} where it means that.
   * Null for a connection that opens only once a server listens.
   */
  readonly explain: ((error: Error) => Error) | null;
}

/** A handshake within one network takes milliseconds; the API server itself gives a webhook 10 s. */
export const TIMEOUT_MS = 5_000;

/** The other end of a tunnel reports that nothing listens. */
export class Refused extends Problem {}

/** A connection did not open in time. */
export class TimedOut extends Problem {
  constructor() {
    super(`no answer within ${TIMEOUT_MS / 1_000} s`);
  }
}

/** Connections of this process. */
export const direct: Reach = {
  concurrency: 32,
  obstacle: () => null,
  explain: null,
  open: ({ address, port }, _namespace, signal) =>
    new Promise((resolve, reject) => {
      const socket = connectTcp({ host: address, port });
      const onAbort = (): void => void socket.destroy(new TimedOut());
      signal.addEventListener('abort', onAbort);
      socket.once('error', reject).once('connect', () => {
        signal.removeEventListener('abort', onAbort);
        socket.off('error', reject);
        resolve(socket);
      });
    }),
};

/** Tunnels at once: each is a stream through the API server and a kubelet. */
const CONCURRENCY = 8;

/** Returns the error that a message about a port of a Pod stands for; the kubelet passes on the messages of Go. */
const podError = (error: Error): Error => {
  if (!(error instanceof TunnelError)) return error;
  if (error.message.includes('connection refused')) return new Refused('connection refused inside the Pod');
  return /i\/o timeout|timed out/.test(error.message) ? new TimedOut() : error;
};

/** Reaches Pods through the API server, as `kubectl port-forward` does. */
export const tunnelled = (client: KubeClient): Reach => ({
  concurrency: CONCURRENCY,
  obstacle: ({ pod }) =>
    pod === null
      ? 'it belongs to no Pod, so the API server has no tunnel to it: run the check inside the cluster'
      : null,
  open: ({ pod, port }, namespace, signal) => portForward(client, { namespace, pod: pod ?? '', port }, signal),
  explain: podError,
});
