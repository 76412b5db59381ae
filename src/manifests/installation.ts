import type { ADDITIONS, MODES } from '../config/commands.ts';
import type { Config } from '../config/config.ts';
import type { Comments, Json } from './yaml.ts';

export type Mode = (typeof MODES)[number];
export type Addition = (typeof ADDITIONS)[number];

/** What an installation consists of. Everything that the replicas read is in `config`. */
export interface InstallationSpec {
  /** cert-manager's objects are printed: it issues, and not into a Secret that it writes already. */
  readonly withIssuer: boolean;
  /** As every replica parses its environment. */
  readonly config: Config;
  /** Of the objects. It is NAME, too, except where each variable is set alone. */
  readonly name: string;
  readonly mode: Mode;
  readonly createNamespace: boolean;
  readonly replicas: number;
  readonly image: string;
  /** The image of the server behind or beside the daemon. */
  readonly appImage: string;
  readonly additions: readonly Addition[];
  /** The variables of the replicas beside those that identify a Pod, with their values, in this order. */
  readonly variables: readonly (readonly [string, string])[];
  /** What differs from the example in the webhook configuration; null where CA_BUNDLE_TARGETS names objects of the user's. */
  readonly webhook: Readonly<Record<string, Json>> | null;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One object, without defaults that the API server fills in, since it states them itself. */
export interface Manifest {
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: ObjectMeta;
    readonly [key: string]: Json | ObjectMeta | undefined;
  };
  readonly comments: Comments;
}

/** Creates an object, with its comments by JSON pointer. */
export const manifest = (object: Manifest['object'], comments: Comments = {}): Manifest => ({ object, comments });

/** The labels of every object, and the selector of the Pods. */
export const labelsOf = ({ name }: Pick<InstallationSpec, 'name'>): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': name,
});

/** Names what is not in a namespace: neither a name nor a namespace contains a dot, so that no two are the same. */
export const clusterName = ({ name, config }: Pick<InstallationSpec, 'name' | 'config'>): string =>
  `${name}.${config.namespace}`;

/** The port that the API server's calls arrive at, in whichever container. */
export const webhookPort = ({ config: { serving, webhookBind } }: Pick<InstallationSpec, 'config'>): number =>
  serving?.kind === 'tcp' ? serving.port : webhookBind.port;

/** Metadata of an object in the namespace of the installation. */
export const inNamespace = (spec: InstallationSpec, name: string, labels: Readonly<Record<string, string>> = {}) => ({
  name,
  namespace: spec.config.namespace,
  labels: { ...labelsOf(spec), ...labels },
});

/** Metadata of an object at the cluster's scope. */
export const inCluster = (spec: InstallationSpec) => ({ name: clusterName(spec), labels: labelsOf(spec) });
