import { Duplex } from 'node:stream';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from './client.ts';
import { redact } from './errors.ts';

/** The kubelet could not connect inside the Pod, or cut the tunnel. */
export class TunnelError extends Problem {}

/** Each message begins with the number of its channel; the first one of a channel repeats the port. */
const SUBPROTOCOL = 'v4.channel.k8s.io';
const [DATA, ERROR] = [0, 1];
const PORT_BYTES = 2;

interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * Opens a connection to a port of a Pod, from inside the Pod and through the API server, as `kubectl port-forward` does. The
 * stream fails with a {@link TunnelError} when nothing listens there.
 *
 * @param signal ends the attempt
 * @throws ApiError when the API server refuses it
 */
export const portForward = async (
  client: KubeClient,
  { namespace, pod, port }: PodPort,
  signal: AbortSignal,
): Promise<Duplex> => {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const request = { method: 'GET', path, query: { ports: String(port) } } as const;
  const socket = await client.webSocket(request, SUBPROTOCOL, signal);
  const begun = new Set<number>();

  const tunnel = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void socket.write(Buffer.concat([Buffer.of(DATA), chunk]), () => done()),
    final: (done) => void socket.end(() => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (message: Buffer) => {
    const channel = message[0] ?? DATA;
    const payload = message.subarray(begun.has(channel) ? 1 : 1 + PORT_BYTES);
    begun.add(channel);
    if (payload.length === 0) return;
    if (channel === DATA) tunnel.push(payload);
    if (channel === ERROR) tunnel.destroy(new TunnelError(redact(payload.toString('utf8'))));
  });
  socket.on('error', (error) => tunnel.destroy(error)).on('end', () => tunnel.push(null));
  return tunnel;
};
