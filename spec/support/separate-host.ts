import { randomInt } from 'node:crypto';
import { runTool, undoAtExit } from './run-tool.ts';

/** A network namespace with two links to this one: one to the API server, which can go dead, and one for everybody else. */
export interface SeparateHost extends AsyncDisposable {
  /** What a daemon is to be run within: see running-daemon.ts. */
  readonly within: readonly string[];
  /** Where the daemon finds this machine, over the link that can go dead. */
  readonly gateway: string;
  /** Where this machine finds the daemon, always. */
  readonly address: string;
  /** From now on nothing that is sent on the link arrives, in either direction, and nobody is told. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

const ip = (...args: readonly string[]): Promise<string> => runTool('ip', ...args);

interface Link {
  readonly namespace: string;
  readonly device: string;
  readonly here: string;
  readonly there: string;
}

const link = async ({ namespace, device, here, there }: Link): Promise<void> => {
  const peer = `${device}p`;
  await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', peer, 'netns', namespace);
  await ip('addr', 'add', `${here}/30`, 'dev', device);
  await ip('link', 'set', device, 'up');
  await ip('-n', namespace, 'addr', 'add', `${there}/30`, 'dev', peer);
  await ip('-n', namespace, 'link', 'set', peer, 'up');
};

/** Needs root and iproute2. The addresses are of 198.18.0.0/15, which is set aside for tests of networks. */
export const startSeparateHost = async (): Promise<SeparateHost> => {
  const id = randomInt(0x10000).toString(16).padStart(4, '0');
  const namespace = `certd-spec-${id}`;
  const net = `198.${randomInt(18, 20)}.${randomInt(256)}`;
  const first = 8 * randomInt(32);
  const [gateway, viaApi, caller, address] = [1, 2, 5, 6].map((last) => `${net}.${first + last}`) as [
    string,
    string,
    string,
    string,
  ];
  await ip('netns', 'add', namespace);
  // The links go with it.
  const remove = undoAtExit('ip', 'netns', 'delete', namespace);
  try {
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    await link({ namespace, device: `cs${id}a`, here: gateway, there: viaApi });
    await link({ namespace, device: `cs${id}c`, here: caller, there: address });
  } catch (error) {
    remove();
    throw error;
  }
  return {
    within: ['ip', 'netns', 'exec', namespace],
    gateway,
    address,
    cut: async () => {
      await ip('link', 'set', `cs${id}a`, 'down');
    },
    mend: async () => {
      await ip('link', 'set', `cs${id}a`, 'up');
    },
    [Symbol.asyncDispose]: () => {
      remove();
      return Promise.resolve();
    },
  };
};
