import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FleetAsked, FleetOrder, FleetReply } from './fleet-protocol.ts';

export interface Fleet extends AsyncDisposable {
  /** Resolves once all of them are ready. */
  add(order: FleetOrder): Promise<void>;
  /** Does `announce` and tells when each replica has seen this hash, ms since the epoch. */
  seen(hash: string, announce: () => Promise<void>): Promise<readonly number[]>;
  measure(): Promise<{ readonly rssMiB: number }>;
}

type Reply<Type extends FleetReply['type']> = Extract<FleetReply, { readonly type: Type }>;

/** @param program the replicas, or bare watches to compare them with */
export const startFleet = (program: 'fleet' | 'bare-watches' = 'fleet'): Fleet => {
  const script = fileURLToPath(new URL(`${program}.ts`, import.meta.url));
  const child = fork(script, { execArgv: ['--expose-gc'] });
  const ended = once(child, 'exit');
  const failed = ended.then(() => Promise.reject(new Error('the fleet has ended, its stderr says why')));
  failed.catch(() => undefined);
  const reply = async <Type extends FleetReply['type']>(type: Type): Promise<Reply<Type>> => {
    const [told] = (await Promise.race([once(child, 'message'), failed])) as [FleetReply];
    if (told.type !== type) throw new Error(`expected ${type} of the fleet, not ${told.type}`);
    return told as Reply<Type>;
  };
  const ask = <Type extends FleetReply['type']>(asked: FleetAsked, type: Type): Promise<Reply<Type>> => {
    const replied = reply(type);
    child.send(asked);
    return replied;
  };
  return {
    add: async (order) => {
      await ask({ type: 'add', ...order }, 'added');
    },
    seen: async (hash, announce) => {
      await ask({ type: 'expect', hash }, 'expecting');
      const replied = reply('seen');
      await announce();
      return (await replied).atMs;
    },
    measure: () => ask({ type: 'measure' }, 'measured'),
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};
