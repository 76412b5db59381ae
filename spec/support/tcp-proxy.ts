import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A port in front of another, where the network can fail. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** How many bytes the target has sent. */
  readonly received: number;
  /** Destroys every connection. */
  cut(): void;
  /** Half-open: connections are still accepted, but no byte passes until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** From now on, what the target sends arrives so many ms later. */
  delay(ms: number): void;
  /** Refuses connections and destroys those there are. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

/**
 * Starts a proxy that knows nothing of what passes through it.
 *
 * @param host where it listens; the target is on loopback
 */
export const startTcpProxy = async (targetPort: number, host = '127.0.0.1'): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let [delayMs, received] = [0, 0];
  const add = (socket: Socket, twin: Socket, isTarget = false) => {
    // Timers of one length fire in order: once there is a delay, it stays.
    const later = (pass: () => void): void => {
      if (isTarget && delayMs > 0) setTimeout(pass, delayMs);
      else pass();
    };
    sockets.add(socket);
    socket.on('error', () => twin.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      twin.destroy();
    });
    socket.on('data', (bytes) => {
      if (isTarget) received += bytes.length;
      later(() => twin.write(bytes));
    });
    socket.on('end', () => later(() => twin.end()));
    if (isFrozen) socket.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    add(client, target);
    add(target, client, true);
  });
  const cut = () => sockets.forEach((socket) => socket.destroy());
  let port = 0;
  const start = async () => {
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) port = address.port;
  };
  const stop = async () => {
    if (!server.listening) return;
    server.close();
    cut();
    await once(server, 'close');
  };
  await start();
  return {
    port,
    get received() {
      return received;
    },
    cut,
    freeze: () => {
      isFrozen = true;
      sockets.forEach((socket) => socket.pause());
    },
    thaw: () => {
      isFrozen = false;
      sockets.forEach((socket) => socket.resume());
    },
    delay: (ms) => (delayMs = ms),
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
};
