import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * - `cut`: every connection is reset, new ones as soon as they are accepted
 * - `stall`: connections stand and new ones are accepted, no byte passes; those that stalled never come back
 * - `half-close`: the server's side ends, and goes on taking what it is sent
 * - `throttle`: 2 kB a second in either direction of each connection
 * - `corrupt`: one bit of whatever the server sends at a time is another
 */
export type NetworkFault = 'cut' | 'stall' | 'half-close' | 'throttle' | 'corrupt';

/** A port in front of an API server's, on a network that has faults. */
export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** Befalls the connections there are and those to come; null: none, from now on. */
  fault: NetworkFault | null;
}

const SLICE_BYTES = 200;
const SLICE_MS = 100;

interface Pair {
  readonly daemon: Socket;
  readonly server: Socket;
  stalled: boolean;
}

/** @param host where it listens; the target is on loopback */
export const startFaultyProxy = async (targetPort: number, host = '127.0.0.1'): Promise<FaultyProxy> => {
  const pairs = new Set<Pair>();
  let fault: NetworkFault | null = null;

  const befall = (pair: Pair): void => {
    if (fault === 'cut') pair.daemon.resetAndDestroy();
    if (fault === 'stall') pair.stalled = true;
    if (fault === 'half-close') pair.daemon.end();
  };

  const pass = async (bytes: Buffer, to: Socket, pair: Pair): Promise<void> => {
    // What comes too late comes never: a connection that stalled has been forgotten on the way.
    if (pair.stalled) await once(to, 'close');
    if (fault === 'throttle')
      for (; bytes.length > SLICE_BYTES; bytes = bytes.subarray(SLICE_BYTES)) {
        to.write(bytes.subarray(0, SLICE_BYTES));
        await sleep(SLICE_MS);
      }
    if (fault === 'corrupt' && to === pair.daemon)
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    if (to.writable && !to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
  };

  const carry = async (from: Socket, to: Socket, pair: Pair): Promise<void> => {
    try {
      for await (const bytes of from.iterator({ destroyOnReturn: false })) await pass(bytes as Buffer, to, pair);
      if (!pair.stalled) to.end();
    } catch {
      // Whichever side breaks takes the other with it.
      to.destroy();
    }
  };

  const listener = createServer({ allowHalfOpen: true }, (daemon) => {
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { daemon, server, stalled: false };
    pairs.add(pair);
    for (const [one, other] of [
      [daemon, server],
      [server, daemon],
    ] as const) {
      one.on('error', () => undefined);
      one.once('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
      void carry(one, other, pair);
    }
    befall(pair);
  }).listen(0, host);
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
      for (const pair of pairs) befall(pair);
    },
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const { daemon, server } of pairs) {
        daemon.destroy();
        server.destroy();
      }
      await once(listener, 'close');
    },
  };
};
