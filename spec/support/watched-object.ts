import { basename, dirname } from 'node:path';
import { type Json, type RawApi, valueAt } from './raw-api.ts';
import { until } from './until.ts';

/** One state of an object, as an administrator's watch saw it. */
export interface Version {
  readonly atMs: number;
  readonly resourceVersion: string;
  at(...path: readonly (string | number)[]): Json | undefined;
  /** A string; empty when there is none. */
  word(...path: readonly (string | number)[]): string;
  /** A base64 value, decoded; empty when there is none. */
  text(...path: readonly (string | number)[]): string;
}

/** Every state an object goes through while it is watched, oldest first. */
export interface WatchedObject extends Disposable {
  readonly versions: readonly Version[];
  readonly current: Version;
  /** Resolves once it has been seen at this version or a later one. */
  caughtUp(resourceVersion: string): Promise<void>;
}

const version = (object: Json): Version => {
  const at: Version['at'] = (...path) => valueAt(object, path);
  const word: Version['word'] = (...path) => {
    const value = at(...path);
    return typeof value === 'string' ? value : '';
  };
  return {
    atMs: performance.now(),
    resourceVersion: word('metadata', 'resourceVersion'),
    at,
    word,
    text: (...path) => Buffer.from(word(...path), 'base64').toString(),
  };
};

/** Watches an object that exists, by its path. No change of it is missed; the watch must not outlive its connection. */
export const watchedObject = async (api: RawApi, path: string): Promise<WatchedObject> => {
  const first = version((await api.get(path)).at() ?? null);
  const versions = [first];
  const selector = `fieldSelector=metadata.name%3D${basename(path)}&resourceVersion=${first.resourceVersion}`;
  const watch = await api.watch(`${dirname(path)}?${selector}&timeoutSeconds=1800`);
  const follow = async (): Promise<void> => {
    for (;;) {
      const { type, object } = await watch.next(1_800_000);
      if (type === 'ADDED' || type === 'MODIFIED') versions.push(version(object));
    }
  };
  follow().catch(() => undefined);
  const newest = (): Version => versions.at(-1) ?? first;
  return {
    versions,
    get current() {
      return newest();
    },
    caughtUp: (resourceVersion) => until(() => BigInt(newest().resourceVersion) >= BigInt(resourceVersion)),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
};
