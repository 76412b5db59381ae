import type { X509Certificate } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { portForward, TunnelError } from '../kube/port-forward.ts';
import { errnoOf, messageOf } from '../util/errors.ts';
import { isIpAddress } from '../util/ip.ts';
import { presentedChain } from '../webhook/loopback-handshake.ts';
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
const TIMEOUT_MS = 5_000;

/** The other end of a tunnel reports that nothing listens. */
class Refused extends Problem {}

/** A connection did not open in time. */
class TimedOut extends Problem {
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

/** Why no certificate was seen. */
export type ProbeFailure =
  /** Nothing listens. */
  | 'closed'
  /** No answer in time, or no route. */
  | 'unreachable'
  /** HTTP without TLS. */
  | 'plain-http'
  /** Something listens that makes no TLS handshake that Go would make. */
  | 'no-handshake';

/** What one endpoint showed in a TLS handshake. */
export type ProbeResult =
  | {
      readonly state: 'presented';
      /** Leaf first, as the server sent it. */
      readonly chain: readonly X509Certificate[];
      /** `TLSv1.3` */
      readonly protocol: string;
    }
  | { readonly state: 'failed'; readonly why: ProbeFailure; readonly detail: string }
  /** It could not be dialled from here, which says nothing about it. */
  | { readonly state: 'skipped'; readonly detail: string };

const CLOSED: ReadonlySet<string> = new Set(['ECONNREFUSED']);
const UNREACHABLE: ReadonlySet<string> = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const failed = (why: ProbeFailure, detail: string): ProbeResult => ({ state: 'failed', why, detail });

const connectionFailed = (error: unknown): ProbeResult => {
  const code = errnoOf(error);
  if (error instanceof Refused || CLOSED.has(code)) return failed('closed', messageOf(error));
  if (error instanceof TimedOut || UNREACHABLE.has(code)) return failed('unreachable', messageOf(error));
  if (error instanceof Problem) return { state: 'skipped', detail: error.message };
  return failed('no-handshake', messageOf(error));
};

/** OpenSSL's errors are `F0E1:error:0A00010B:SSL routines:tls_get_more_records:wrong version number:../file.c:354:`. */
const handshakeText = (error: Error): string => {
  const [, reason] = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(error.message) ?? [];
  return reason ?? error.message;
};

let context: SecureContext | null = null;

/** One for all handshakes: to make one takes as long as a handshake. */
const clientContext = (): SecureContext =>
  (context ??= createSecureContext({
    minVersion: 'TLSv1',
    // Keys that OpenSSL finds too short are for the verification to judge, by the rules of Go.
    ciphers: 'DEFAULT:@SECLEVEL=0',
    ca: [],
  }));

/**
 * Makes a handshake as kube-apiserver would, and accepts whatever certificate is shown. Older versions of TLS are
 * offered too, so that a server which has nothing newer can be told from one that has no TLS at all.
 */
const shakeHands = (reach: Reach, socket: Duplex, servername: string, signal: AbortSignal): Promise<ProbeResult> =>
  new Promise((resolve, reject) => {
    const { explain } = reach;
    if (explain !== null) socket.once('error', (error) => reject(explain(error)));
    const tls = connectTls({
      socket,
      ...(isIpAddress(servername) ? {} : { servername }),
      ALPNProtocols: ['h2', 'http/1.1'],
      secureContext: clientContext(),
      // Verified by the caller.
      rejectUnauthorized: false,
    });
    const settle = (result: ProbeResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const onAbort = (): void => {
      tls.destroy();
      settle(failed('unreachable', `no TLS handshake within ${TIMEOUT_MS / 1_000} s`));
    };
    const presented = (): ProbeResult | null => {
      const leaf = tls.getPeerX509Certificate();
      return leaf === undefined
        ? null
        : { state: 'presented', chain: presentedChain(leaf), protocol: tls.getProtocol() ?? 'unknown' };
    };
    signal.addEventListener('abort', onAbort);
    tls.once('secureConnect', () => {
      settle(presented() ?? failed('no-handshake', 'the server showed no certificate'));
      tls.destroySoon();
    });
    // A server that asks for a client certificate shows its own first.
    tls.on('error', (error) => {
      settle(presented() ?? failed('no-handshake', handshakeText(error)));
      tls.destroy();
    });
    tls.once('close', () => settle(failed('no-handshake', 'the connection was closed during the handshake')));
  });

/** Whether the server answers a request without TLS. Resolves to false for everything else. */
const speaksHttp = (socket: Duplex, servername: string, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const settle = (answer: boolean): void => {
      resolve(answer);
      socket.destroy();
    };
    signal.addEventListener('abort', () => settle(false));
    socket.on('error', () => settle(false)).on('close', () => settle(false));
    socket.once('data', (bytes: Buffer) => settle(bytes.subarray(0, 5).toString('latin1') === 'HTTP/'));
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
  });

/** Dials one endpoint under the name that the API server expects. Never rejects. */
export const probe = async (
  reach: Reach,
  endpoint: Endpoint,
  namespace: string,
  servername: string,
): Promise<ProbeResult> => {
  const obstacle = reach.obstacle(endpoint);
  if (obstacle !== null) return { state: 'skipped', detail: obstacle };
  const within = async <T>(use: (socket: Duplex, signal: AbortSignal) => Promise<T>): Promise<T> => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
    try {
      return await use(await reach.open(endpoint, namespace, controller.signal), controller.signal);
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    const result = await within((socket, signal) => shakeHands(reach, socket, servername, signal));
    if (result.state !== 'failed' || result.why !== 'no-handshake') return result;
    const isPlain = await within((socket, signal) => speaksHttp(socket, servername, signal)).catch(() => false);
    return isPlain ? failed('plain-http', 'it answers HTTP without TLS') : result;
  } catch (error) {
    return connectionFailed(error);
  }
};
