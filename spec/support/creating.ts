import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, RawAnswer, RawApi } from './raw-api.ts';
import { until } from './until.ts';

/** What became of the creates so far. */
export interface Creates {
  /** All that were answered. */
  readonly creates: number;
  /** How many of them each replica's webhook admitted, by the warning in the answer. */
  readonly admittedBy: ReadonlyMap<string, number>;
  /** One reason each. */
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

export interface Creating extends Creates, AsyncDisposable {
  /** Resolves once so many more are answered; rejects when the API server cannot be called. */
  answered(more: number): Promise<void>;
}

export interface CreatingOptions {
  readonly api: RawApi;
  readonly namespace: string;
  readonly callers: number;
  /** Between two creates of one caller. */
  readonly pauseMs: number;
  /** Of the ConfigMaps. Default none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What is created in place of ConfigMaps. */
  readonly created?: { readonly path: string; readonly object: Json };
}

/** Creates ConfigMaps through the API server, dry, from several callers at once, until disposed. */
export const startCreating = (options: CreatingOptions): Creating => {
  const { api, namespace, callers, pauseMs, labels = {} } = options;
  const configMap: Json = { metadata: { generateName: 'spec-', labels }, data: { key: 'value' } };
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
  const { path, object } = options.created ?? { path: configMaps, object: configMap };
  const admittedBy = new Map<string, number>();
  const failures: string[] = [];
  let [creates, slowestMs, isOver] = [0, 0, false];

  const judge = ({ status, headers, text }: RawAnswer): void => {
    const [, replica] = /admitted by (\S+?)"/.exec(String(headers.warning)) ?? [];
    if (status !== 201) failures.push(text);
    else if (replica === undefined) failures.push('created without the webhook');
    else admittedBy.set(replica, (admittedBy.get(replica) ?? 0) + 1);
  };
  const call = async (): Promise<void> => {
    while (!isOver) {
      const startedMs = performance.now();
      judge(await api.post(path, object));
      creates += 1;
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await sleep(pauseMs);
    }
  };
  const calling = Promise.all(Array.from({ length: callers }, call));
  calling.catch(() => undefined);

  return {
    get creates() {
      return creates;
    },
    get slowestMs() {
      return slowestMs;
    },
    admittedBy,
    failures,
    answered: async (more) => {
      const wanted = creates + more;
      await Promise.race([until(() => creates >= wanted, 60_000), calling]);
    },
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await calling;
    },
  };
};
