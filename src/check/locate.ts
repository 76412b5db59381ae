import * as z from 'zod';
import { completed, type Config } from '../config/config.ts';
import { type Settings, settings } from '../config/variables.ts';
import type { KubeClient } from '../kube/client.ts';
import { get } from './get.ts';
import {
  type ConfigMaps,
  configMapsOf,
  deviatingFields,
  type PodReading,
  type PodSettings,
  podSettings,
  type PodSpec,
  podSpec,
} from './pod-settings.ts';

/** One setting on which this command and the Pods differ, or two Pods. */
export interface Difference {
  readonly field: keyof Settings;
  readonly own: unknown;
  readonly pods: unknown;
}

/** What the Pods of a namespace say about the settings of an installation. */
export interface Located {
  /** The settings to go by: of the Pods as far as they decide, else those of this command. */
  readonly config: Config;
  /** The Pod that the settings come from; null when no Pod says anything. */
  readonly pod: PodSpec | null;
  /** Whether the Pod's own POD_SELECTOR selects it, without which its acknowledgements do not count. */
  readonly isSelected: boolean;
  /** The settings to go by at each Pod. */
  readonly byPod: ReadonlyMap<string, Config>;
  /** Where this command was told something else than the Pods. */
  readonly differences: readonly Difference[];
  /** Where another Pod says something else, with its name. */
  readonly disagreement: { readonly pod: string; readonly differences: readonly Difference[] } | null;
  readonly unread: PodSettings['unread'];
  /** A Pod whose settings are bad, so that the replica in it does not start. */
  readonly broken: { readonly pod: string; readonly problems: readonly string[] } | null;
  /** The Leases of several installations in the namespace, none of which is the one that was asked for. */
  readonly candidates: readonly { readonly lease: string; readonly selector: string }[];
}

/** The settings of this command alone, where no Pod says anything. */
export const unlocated = (config: Config): Located => ({
  config,
  pod: null,
  isSelected: true,
  byPod: new Map(),
  differences: [],
  disagreement: null,
  unread: new Map(),
  broken: null,
  candidates: [],
});

/** What is asked of this process, not of the replicas. */
const OWN: ReadonlySet<keyof Settings> = new Set(['namespace', 'identity', 'kubeconfig', 'logLevel', 'logFormat']);

const listSchema = z.object({ items: z.array(z.unknown()).nullish() });
const dataSchema = z.object({ data: z.record(z.string(), z.string()).nullish() });

const listPods = async (client: KubeClient, { namespace }: Config, selector: string | null) => {
  const answer = await get(
    client,
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
    (list) => (listSchema.parse(list).items ?? []).map(podSpec).filter(({ isFinished }) => !isFinished),
    selector === null ? {} : { labelSelector: selector },
  );
  return answer.state === 'there' ? answer.value : [];
};

const readConfigMaps = async (client: KubeClient, pods: readonly PodSpec[]): Promise<ConfigMaps> => {
  const names = new Set(pods.flatMap((pod) => configMapsOf(pod).map((name) => [pod.namespace, name] as const)));
  const maps = [...names].map(async ([namespace, name]) => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`;
    const answer = await get(client, path, (object) => dataSchema.parse(object).data ?? {});
    return [name, answer.state === 'there' ? answer.value : null] as const;
  });
  return new Map(await Promise.all(maps));
};

const readAll = async (client: KubeClient, pods: readonly PodSpec[]): Promise<readonly PodReading[]> => {
  const configMaps = await readConfigMaps(client, pods);
  const newestFirst = pods.toSorted((one, other) => other.createdMs - one.createdMs);
  return newestFirst.flatMap((pod) => podSettings(pod, configMaps) ?? []);
};

const isUsable = (reading: PodReading): reading is PodSettings => 'config' in reading;

const brokenOf = (readings: readonly PodReading[]): Located['broken'] => {
  const [broken] = readings.filter((reading) => !isUsable(reading));
  return broken === undefined || isUsable(broken) ? null : { pod: broken.pod.name, problems: broken.problems };
};

const differencesOf = (own: Config, pods: Config, fields: Iterable<keyof Settings>): readonly Difference[] =>
  [...fields]
    .filter((field) => !OWN.has(field) && JSON.stringify(own[field]) !== JSON.stringify(pods[field]))
    .map((field) => ({ field, own: own[field], pods: pods[field] }));

/** The configuration with the fields on which the Pods decide. CERT_DIR is a directory here, if it was given here. */
const merged = (own: Config, { config, fields }: PodSettings, given: ReadonlySet<keyof Settings>): Config => {
  const taken = settings
    .map(([field]) => field)
    .filter((field) => fields.has(field) && !OWN.has(field) && !(field === 'certDir' && given.has(field)));
  return completed({ ...own, ...Object.fromEntries(taken.map((field) => [field, config[field]])) });
};

/**
 * Finds an installation by its Pods, and reads the names of its objects from their specification. The Pods are those that
 * POD_SELECTOR selects, or, when it selects none, those in the namespace that run this program, if they are of one
 * installation. Rejects on bugs only.
 *
 * @param own the settings of this command
 */
export const locateInstallation = async (client: KubeClient, own: Config): Promise<Located> => {
  const given = deviatingFields(own);
  const selected = await readAll(client, await listPods(client, own, own.podSelector));
  const found = selected.length > 0 ? selected : await readAll(client, await listPods(client, own, null));
  const usable = found.filter(isUsable);
  const leases = new Map(usable.map(({ config }) => [config.leaseName, config.podSelector]));
  const nothing: Located = { ...unlocated(own), broken: brokenOf(found) };
  if (selected.length === 0 && leases.size > 1)
    return { ...nothing, candidates: [...leases].map(([lease, selector]) => ({ lease, selector })) };
  const [newest] = usable;
  if (newest === undefined) return nothing;
  const { pod, config, fields, unread } = newest;
  const other = usable.find(
    (each) => differencesOf(newest.config, each.config, fields.intersection(each.fields)).length > 0,
  );
  const effective = merged(own, newest, given);
  const counted =
    effective.podSelector === own.podSelector
      ? selected.map((each) => each.pod)
      : await listPods(client, own, effective.podSelector);
  return {
    ...nothing,
    config: effective,
    pod,
    byPod: new Map(usable.map((each) => [each.pod.name, merged(own, each, given)])),
    isSelected: counted.some(({ name }) => name === pod.name),
    differences: differencesOf(own, config, given.intersection(fields)).filter(
      // WATCH_STALE_AFTER follows LEASE_DURATION where it is not set.
      ({ field }) =>
        field !== 'certDir' && !(field === 'watchStaleAfterMs' && own.watchStaleAfterMs === own.leaseDurationMs),
    ),
    disagreement:
      other === undefined
        ? null
        : {
            pod: other.pod.name,
            differences: differencesOf(newest.config, other.config, fields.intersection(other.fields)),
          },
    unread,
  };
};
