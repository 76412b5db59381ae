import * as z from 'zod';
import { parseCommandLine } from '../config/command-line.ts';
import { type Config, parseConfig } from '../config/config.ts';
import { type Settings, settings } from '../config/variables.ts';

const text = z.string().nullish();
const orEmpty = text.transform((given) => given ?? '');
const source = z.object({ name: orEmpty, key: orEmpty }).nullish();
const env = z.object({
  name: z.string(),
  value: text,
  valueFrom: z
    .object({ fieldRef: z.object({ fieldPath: z.string() }).nullish(), configMapKeyRef: source, secretKeyRef: source })
    .nullish(),
});
const container = z.object({
  image: text,
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  env: z.array(env).nullish(),
  envFrom: z.array(z.object({ prefix: orEmpty, configMapRef: source, secretRef: source })).nullish(),
});
const schema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    creationTimestamp: text,
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.object({ containers: z.array(container), initContainers: z.array(container).nullish() }),
  status: z.object({ phase: text }).nullish(),
});

type Container = z.infer<typeof container>;
type Labels = Readonly<Record<string, string>>;

/** A Pod as it was created, with the container that may run this program. */
export interface PodSpec {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly createdMs: number;
  readonly isFinished: boolean;
  readonly containers: readonly Container[];
}

/** @throws ZodError when it is no Pod */
export const podSpec = (object: unknown): PodSpec => {
  const { metadata, spec, status } = schema.parse(object);
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels ?? {},
    createdMs: Date.parse(metadata.creationTimestamp ?? '') || 0,
    isFinished: ['Succeeded', 'Failed'].includes(status?.phase ?? ''),
    containers: [...spec.containers, ...(spec.initContainers ?? [])],
  };
};

/** A data map of a ConfigMap, by name; null when it cannot be read. */
export type ConfigMaps = ReadonlyMap<string, Readonly<Record<string, string>> | null>;

/** What the containers of a Pod take from ConfigMaps. */
export const configMapsOf = ({ containers }: PodSpec): readonly string[] => [
  ...new Set(
    containers.flatMap((each) =>
      [
        ...(each.envFrom ?? []).map(({ configMapRef }) => configMapRef?.name),
        ...(each.env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ].flatMap((name) => (name === undefined || name === '' ? [] : [name])),
    ),
  ),
];

const PROGRAM = /(?:^|\/)(?:webhook-certd(?:\.js)?|start\.cjs|src\/main\.ts)$/;
const IMAGE = /(?:^|\/)webhook-certd(?:[:@]|$)/;
/** Variables that other programs have, too. */
const COMMON = new Set(['NAME', 'POD_NAME', 'POD_NAMESPACE', 'KUBECONFIG', 'LOG_LEVEL', 'LOG_FORMAT', 'LEASE_NAME']);
const VARIABLES: ReadonlySet<string> = new Set(settings.map(([, { name }]) => name));

/** The arguments of this program in a command line; all of them where the entry point of the image is used. */
const argumentsOf = ({ command, args }: Container): readonly string[] => {
  const tokens = [...(command ?? []), ...(args ?? [])];
  const at = tokens.findIndex((token) => PROGRAM.test(token));
  return at >= 0 ? tokens.slice(at + 1) : (command ?? []).length === 0 ? tokens : [];
};

const isProgram = ({ image, command, args }: Container): boolean =>
  IMAGE.test(image ?? '') || [...(command ?? []), ...(args ?? [])].some((token) => PROGRAM.test(token));

const ownVariables = ({ env: variables }: Container): number =>
  (variables ?? []).filter(({ name }) => VARIABLES.has(name) && !COMMON.has(name)).length;

/** What is known of the variables of a container, and where the value of each of the others comes from. */
interface Environment {
  readonly known: Map<string, string>;
  readonly unread: Map<string, string>;
  /** What may hold any variable besides; null where everything was read. */
  readonly unreadSource: string | null;
}

interface Value {
  readonly text: string;
  /** What the value comes from, where that was not read; else null. */
  readonly unread: string | null;
}

const read = (text: string): Value => ({ text, unread: null });
const notRead = (from: string): Value => ({ text: '', unread: from });

/** `$(NAME)`, or `$$` for a dollar sign. */
const REFERENCE = /\$\$|\$\(([\w.-]+)\)/g;

/** As the kubelet expands it: by the variables before it, and left as it is where there is none. */
const expanded = (text: string, { known, unread, unreadSource }: Environment): Value => {
  const names = [...text.matchAll(REFERENCE)].flatMap(([, name]) => name ?? []);
  const [from] = names.flatMap((name) => unread.get(name) ?? (known.has(name) ? [] : (unreadSource ?? [])));
  if (from !== undefined) return notRead(from);
  return read(
    text.replaceAll(REFERENCE, (whole, name: string | undefined) =>
      name === undefined ? '$' : (known.get(name) ?? whole),
    ),
  );
};

type Variable = NonNullable<Container['env']>[number];

/** The value of a variable. Only one that the Pod itself holds is expanded. */
const valueOf = (pod: PodSpec, { value, valueFrom }: Variable, configMaps: ConfigMaps, before: Environment): Value => {
  if (valueFrom == null) return expanded(value ?? '', before);
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (secretKeyRef != null) return notRead(`Secret ${secretKeyRef.name}`);
  if (configMapKeyRef != null) {
    const text = configMaps.get(configMapKeyRef.name)?.[configMapKeyRef.key];
    return text === undefined ? notRead(`ConfigMap ${configMapKeyRef.name}`) : read(text);
  }
  const path = fieldRef?.fieldPath ?? '';
  const text = { 'metadata.name': pod.name, 'metadata.namespace': pod.namespace }[path];
  return text === undefined ? notRead(path === '' ? 'another source' : `field ${path}`) : read(text);
};

/** The environment of a container, as far as it can be read without reading a Secret. */
const environmentOf = (pod: PodSpec, { env: variables, envFrom }: Container, configMaps: ConfigMaps): Environment => {
  const known = new Map<string, string>();
  const unread = new Map<string, string>();
  let unreadSource: string | null = null;
  for (const { prefix, configMapRef, secretRef } of envFrom ?? []) {
    const data = configMaps.get(configMapRef?.name ?? '') ?? null;
    for (const [key, value] of Object.entries(data ?? {})) {
      known.set(prefix + key, value);
      unread.delete(prefix + key);
    }
    if (data !== null) continue;
    const from = secretRef == null ? `ConfigMap ${configMapRef?.name ?? ''}` : `Secret ${secretRef.name}`;
    unreadSource = from;
    for (const name of VARIABLES) if (name.startsWith(prefix)) unread.set(name, from);
  }
  for (const variable of variables ?? []) {
    const { name } = variable;
    const value = valueOf(pod, variable, configMaps, { known, unread, unreadSource });
    known.delete(name);
    unread.delete(name);
    if (value.unread === null) known.set(name, value.text);
    else unread.set(name, value.unread);
  }
  return { known, unread, unreadSource };
};

/** The settings that a Pod's specification gives the replica in it. */
export interface PodSettings {
  readonly pod: PodSpec;
  readonly config: Config;
  /** The fields on which the Pod decides: all where it runs this program, those it sets where it may run another one. */
  readonly fields: ReadonlySet<keyof Settings>;
  /** Fields whose value comes from what was not read, with its name. */
  readonly unread: ReadonlyMap<keyof Settings, string>;
}

export type PodReading = PodSettings | { readonly pod: PodSpec; readonly problems: readonly string[] };

/** The fields in which a configuration differs from one without any variable set. */
export const deviatingFields = (config: Config): ReadonlySet<keyof Settings> => {
  const read = { namespace: () => config.namespace, hostname: () => config.identity };
  const standard = parseConfig({ env: {}, flags: new Map(), serves: false, read });
  const values: Partial<Settings> = standard.ok ? standard.config : {};
  const differ = settings.filter(([field]) => JSON.stringify(values[field]) !== JSON.stringify(config[field]));
  return new Set(differ.map(([field]) => field));
};

/** Reads the settings of the replica that a Pod runs; null when nothing tells that it runs one. */
export const podSettings = (pod: PodSpec, configMaps: ConfigMaps): PodReading | null => {
  const program = pod.containers.find(isProgram);
  const [likely] = pod.containers.toSorted((one, other) => ownVariables(other) - ownVariables(one));
  const chosen = program ?? (likely !== undefined && ownVariables(likely) > 0 ? likely : undefined);
  if (chosen === undefined) return null;
  const environment = environmentOf(pod, chosen, configMaps);
  const given = [...parseCommandLine(argumentsOf(chosen)).flags].map(
    ([flag, text]) => [flag, expanded(text, environment)] as const,
  );
  const parsed = parseConfig({
    env: Object.fromEntries(environment.known),
    flags: new Map(given.flatMap(([flag, { text, unread }]) => (unread === null ? [[flag, text]] : []))),
    serves: false,
    read: { namespace: () => pod.namespace, hostname: () => pod.name },
  });
  if (!parsed.ok) return { pod, problems: parsed.problems };
  const unreadable = new Map(
    settings.flatMap(([field, { name, flag, alias }]) => {
      // The flag has precedence over its alias, and both over the variable.
      const ofFlag = [flag, alias].flatMap((each) => given.find(([one]) => one === each)?.[1] ?? [])[0];
      const from = ofFlag === undefined ? environment.unread.get(name) : ofFlag.unread;
      return from == null ? [] : [[field, from] as const];
    }),
  );
  const fields = program === undefined ? deviatingFields(parsed.config) : settings.map(([field]) => field);
  return {
    pod,
    config: parsed.config,
    fields: new Set([...fields].filter((field) => !unreadable.has(field))),
    unread: unreadable,
  };
};
