import { setTimeout as sleep } from 'node:timers/promises';
import type { RawApi } from './raw-api.ts';

/** Somebody else who is sure to know the right caBundle. */
export interface Rival extends AsyncDisposable {
  readonly writes: number;
}

/** Rewrites the first caBundle of a webhook configuration every 100 ms, as the field manager `rival`, until disposed. */
export const startRival = (api: RawApi, target: string, pem: string): Rival => {
  const value = Buffer.from(pem).toString('base64');
  let [writes, isOver] = [0, false];
  const write = async (): Promise<void> => {
    while (!isOver) {
      const patch = [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value }];
      const { status, text } = await api.patch('json', `${target}?fieldManager=rival`, patch);
      if (status !== 200) throw new Error(text);
      writes += 1;
      await sleep(100);
    }
  };
  const writing = write();
  writing.catch(() => undefined);
  return {
    get writes() {
      return writes;
    },
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await writing;
    },
  };
};
