import type { RawApi } from './raw-api.ts';

const sample = /^(?<metric>apiserver_\w+)\{(?<labels>.*)\} (?<value>\S+)$/;

const labelOf = (labels: string, name: string): string =>
  new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';

export interface RequestTotals {
  /** Answered requests for these resources ever since, by `VERB resource`. A watch counts once it has ended. */
  readonly answered: ReadonlyMap<string, number>;
  /** Open watches by resource. */
  readonly watches: ReadonlyMap<string, number>;
  /** Events ever sent, by kind. */
  readonly events: ReadonlyMap<string, number>;
}

/** What kube-apiserver says of itself at /metrics: apiserver_request_total and its like. */
export const requestTotals = async (admin: RawApi, resources: readonly string[]): Promise<RequestTotals> => {
  const { status, text } = await admin.get('/metrics');
  if (status !== 200) throw new Error(text);
  const [answered, watches, events] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const add = (sums: Map<string, number>, key: string, value: number) => sums.set(key, (sums.get(key) ?? 0) + value);
  for (const line of text.split('\n')) {
    const { metric = '', labels = '', value = '' } = sample.exec(line)?.groups ?? {};
    const [resource, verb] = [labelOf(labels, 'resource'), labelOf(labels, 'verb')];
    if (metric === 'apiserver_watch_events_total') add(events, labelOf(labels, 'kind'), Number(value));
    if (!resources.includes(resource)) continue;
    if (metric === 'apiserver_request_total') add(answered, `${verb} ${resource}`, Number(value));
    if (metric === 'apiserver_longrunning_gauge' && verb === 'WATCH') add(watches, resource, Number(value));
  }
  return { answered, watches, events };
};
