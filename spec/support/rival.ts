import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, RawApi } from './raw-api.ts';

/** Somebody else who is sure to know what should stand there. */
export interface Rival extends AsyncDisposable {
  readonly writes: number;
}

/** Patches an object every 100 ms, as the field manager `rival`, until disposed. */
export const startRival = (api: RawApi, path: string, kind: 'json' | 'merge', patch: Json): Rival => {
  let [writes, isOver] = [0, false];
  const write = async (): Promise<void> => {
    while (!isOver) {
      const { status, text } = await api.patch(kind, `${path}?fieldManager=rival`, patch);
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
