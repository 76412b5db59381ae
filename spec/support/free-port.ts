import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to whoever asks for any one, such as each outgoing connection: the port of a program
 * that restarts stays free meanwhile.
 */
const [LOWEST, HIGHEST] = [12_000, 32_000];
/** Mocha's processes have consecutive ids, and each needs fewer ports. */
const APART = 1_009;

let next = LOWEST + ((process.pid * APART) % (HIGHEST - LOWEST));

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** A loopback TCP port that nobody uses, for a program that cannot be told to choose its own, or keeps it across restarts. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = next;
    next = port + 1 < HIGHEST ? port + 1 : LOWEST;
    if (await isFree(port)) return port;
  }
};
