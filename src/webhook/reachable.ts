import { connect, type NetConnectOpts } from 'node:net';
import { monotonicMs } from '../monotonic-ms.ts';

const dial = (target: NetConnectOpts, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(target);
    const end = (reached: boolean) => {
      resolve(reached);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

/** Whether somebody accepts connections there. One answer serves everyone who asks within `freshMs`. */
export const createReachable = (
  target: NetConnectOpts,
  freshMs = 1_000,
  timeoutMs = 1_000,
): (() => Promise<boolean>) => {
  let asked: { readonly atMs: number; readonly answer: Promise<boolean> } | null = null;
  return () => {
    const nowMs = monotonicMs();
    if (asked === null || nowMs - asked.atMs >= freshMs) asked = { atMs: nowMs, answer: dial(target, timeoutMs) };
    return asked.answer;
  };
};
