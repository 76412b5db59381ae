import * as z from 'zod/mini';
import { clusterFlags } from './cluster-flags.ts';
import {
  boolean,
  caBundleTarget,
  commaSeparated,
  dnsLabel,
  duration,
  issuerName,
  oneOf,
  parsed,
  type Schema,
  string,
  wholeNumber,
} from './types.ts';
import type { Setting } from './variable.ts';
import { VERSION } from './version.ts';

/** Who answers the API server: a handler in this process, a server behind it, or one beside it that terminates TLS. */
export const MODES = ['handler', 'upstream', 'serving'] as const;
/** What can be printed beside an installation. */
export const ADDITIONS = ['policy', 'monitoring', 'network-policy'] as const;

/** A flag of one command that is not an environment variable. */
export interface CommandFlag<T> extends Setting<T> {
  /** A second spelling of one letter; null when there is none. */
  readonly short: string | null;
  /** Name of the value in help; null for a switch. */
  readonly placeholder: string | null;
  readonly defaultValue: string | null;
}

/** Creates a flag of a command. */
const commandFlag = <T>(
  flag: string,
  placeholder: string | null,
  defaultValue: string | null,
  schema: Schema<T>,
  meaning: string,
  short: string | null = null,
): CommandFlag<T> => ({
  flag,
  short,
  placeholder,
  defaultValue,
  schema,
  meaning,
  valueWhenBare: placeholder === null ? 'true' : null,
});

/** A command, without the types of its flags. */
export interface Command {
  readonly summary: string;
  /** The names of the words that it needs after its own, in order. */
  readonly operands?: readonly string[];
  /** The words that the first operand may be, if they can be listed. */
  readonly choices?: readonly string[];
  /** Whether the variables apply to it: as flags and in the environment, as flags alone, or not at all. */
  readonly variables: 'read' | 'flags' | 'none';
  readonly flags: Readonly<Record<string, CommandFlag<unknown>>>;
  readonly exits: readonly [string, string];
  /** Command lines, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
}

const file = (flag: string, meaning: string): CommandFlag<string | null> =>
  commandFlag(flag, 'FILE', null, z.nullable(string('the path of a file')), meaning);

/** An operation of an AdmissionRequest, in upper or lower case. */
const operation = z.pipe(
  z.nullable(oneOf('create', 'update', 'delete')),
  z.transform((word) => (word === null ? null : (word.toUpperCase() as 'CREATE' | 'UPDATE' | 'DELETE'))),
);

const urlPath = parsed('a path like /mutate', (text) => (/^\/[^\s?#]*$/.test(text) ? text : undefined));

const json = commandFlag('json', null, 'false', boolean, 'print JSON instead of text');

const installationNamespace = commandFlag(
  'namespace',
  'NAME',
  null,
  z.nullable(dnsLabel),
  'namespace of the installation; if unset, the same as --name',
  'n',
);

/** How the commands for people find an installation, as kubectl does. */
const place = {
  namespace: commandFlag(
    'namespace',
    'NAME',
    null,
    z.nullable(dnsLabel),
    'namespace of the installation, like POD_NAMESPACE; if both are unset: that of the Pod, or of the context of the kubeconfig',
    'n',
  ),
  context: commandFlag(
    'context',
    'NAME',
    null,
    z.nullable(string('the name of a context in the kubeconfig')),
    'context of the kubeconfig; if unset, the current one',
  ),
  output: commandFlag('output', 'text|json', 'text', oneOf('text', 'json'), 'format of the output', 'o'),
  json: commandFlag('json', null, 'false', boolean, 'the same as --output=json'),
} as const;

const MAX_WAIT_MS = 86_400_000;

/** The commands with their own flags. Those that read the variables also accept their flags. */
export const commands = {
  serve: {
    summary: 'serve the webhook and manage its certificates; runs in every replica',
    variables: 'read',
    flags: {},
    exits: ['stopped by SIGTERM or SIGINT, after draining connections', 'no certificate in time or a fatal error'],
    examples: [
      ['WEBHOOK_HANDLER=./handler.js webhook-certd', 'host a handler module'],
      ['webhook-certd --upstream-url=http://127.0.0.1:9000', 'put TLS in front of a server in the pod'],
      [
        'webhook-certd --cert-issuer external --log-format pretty --v=1',
        'certificates of an external issuer, detailed log',
      ],
    ],
  },
  check: {
    summary: 'inspect the cluster and report problems; changes nothing',
    variables: 'read',
    flags: { ...clusterFlags, ...place },
    exits: ['no failure found; warnings are allowed', 'a failure found, or the cluster could not be read'],
    examples: [
      ['kubectl -n shop exec deploy/orders -- webhook-certd check', 'in a replica'],
      ['webhook-certd check -n shop --context production', 'from a workstation, by its kubeconfig'],
      ['webhook-certd check -n shop -o json', 'for a script'],
      ['webhook-certd check --cluster', 'every webhook of the cluster: which one fails next, and why'],
    ],
  },
  rotate: {
    summary: 'request a new leaf, or a new CA, from the leader',
    variables: 'read',
    flags: {
      ca: commandFlag('ca', null, 'false', boolean, 'renew the CA as well as the leaf'),
      timeoutMs: commandFlag(
        'timeout',
        'DURATION',
        null,
        z.nullable(duration({ fromMs: 1000, toMs: MAX_WAIT_MS })),
        'time limit until every replica serves the new leaf; if unset, it ends after 2m without progress',
      ),
      noWait: commandFlag('no-wait', null, 'false', boolean, 'end once the rotation is requested'),
      ...place,
    },
    exits: [
      'served by every live replica, or with --no-wait: requested',
      'not requested, not served by every replica, or interrupted',
    ],
    examples: [
      ['webhook-certd rotate', 'a new leaf'],
      ['webhook-certd rotate --ca -n shop --timeout 10m', 'a new CA, then a new leaf'],
    ],
  },
  manifests: {
    summary: 'print every object of an installation as YAML, for kubectl apply',
    variables: 'flags',
    flags: {
      namespace: installationNamespace,
      createNamespace: commandFlag('create-namespace', null, 'false', boolean, 'print the namespace, too'),
      mode: commandFlag(
        'mode',
        'MODE',
        null,
        z.nullable(oneOf(...MODES)),
        'handler: WEBHOOK_HANDLER answers; upstream: the container app behind it answers; serving: the container app terminates TLS beside it; if unset, what --upstream-url or --serving-address says, else handler',
      ),
      replicas: commandFlag('replicas', 'N', '2', wholeNumber(1, 20), 'number of replicas'),
      targets: commandFlag(
        'target',
        'TYPE/NAME',
        null,
        z.nullable(commaSeparated(caBundleTarget)),
        'comma-separated objects of your own whose caBundle is kept up to date; if unset, a webhook configuration is printed',
      ),
      issuer: commandFlag(
        'issuer',
        'ISSUER',
        'self-signed',
        issuerName,
        'relay: cert-manager issues into SOURCE_SECRET, and the leader copies from there; external: it writes the Secret that is mounted',
      ),
      additions: commandFlag(
        'with',
        'LIST',
        '',
        commaSeparated(oneOf(...ADDITIONS)),
        `comma-separated, of ${ADDITIONS.join(', ')}`,
      ),
      image: commandFlag('image', 'IMAGE', `webhook-certd:${VERSION}`, string('an image'), 'image of webhook-certd'),
      appImage: commandFlag('app-image', 'IMAGE', 'webhook-app', string('an image'), 'image of the container app'),
    },
    exits: ['printed', 'a fatal error'],
    examples: [
      [
        'webhook-certd manifests --name orders --namespace shop | kubectl apply -f -',
        'install it under a name of its own',
      ],
      [
        'webhook-certd manifests --name orders --mode upstream --app-image registry.example.com/orders:1',
        'in front of a webhook without TLS',
      ],
    ],
  },
  init: {
    summary: 'write a project with a handler, its test, a Dockerfile and manifests',
    operands: ['DIR'],
    variables: 'flags',
    flags: {
      namespace: installationNamespace,
      package: commandFlag(
        'package',
        'SPEC',
        null,
        z.nullable(string('a version, or file:PATH of a tarball')),
        'what package.json gets webhook-certd from; if unset, this version',
      ),
    },
    exits: ['written', 'a file could not be written'],
    examples: [
      ['webhook-certd init my-webhook', 'in a new folder, whose name is the name of the installation'],
      ['webhook-certd init . --name orders --namespace shop', 'in this empty folder'],
    ],
  },
  try: {
    summary: 'call a handler with the objects of a file and print its answers; needs no cluster',
    operands: ['HANDLER', 'FILE'],
    variables: 'none',
    flags: {
      operation: commandFlag(
        'operation',
        'CREATE|UPDATE|DELETE',
        null,
        operation,
        'what the user asks for; if unset, CREATE, or UPDATE with --old',
      ),
      old: file('old', 'the stored version of the object, for an update'),
      path: commandFlag(
        'path',
        'PATH',
        null,
        z.nullable(urlPath),
        'path of the call, for a handler with several paths',
      ),
      user: commandFlag(
        'user',
        'NAME',
        null,
        z.nullable(string('a name')),
        'the user who asks; if unset, an administrator',
      ),
      json,
    },
    exits: ['every object is allowed', 'an object is denied, or the handler failed'],
    examples: [
      ['webhook-certd try ./handler.ts pod.yaml', 'may this Pod be created?'],
      ['webhook-certd try ./handler.ts new.yaml --operation UPDATE --old old.yaml', 'may it be changed?'],
    ],
  },
  demo: {
    summary:
      'run replicas, each in a process of its own, on an API server and kubelets inside this process, and rotate their certificates',
    variables: 'none',
    flags: {
      replicas: commandFlag('replicas', 'N', '3', wholeNumber(1, 20), 'number of replicas'),
      rotations: commandFlag(
        'rotations',
        'N',
        null,
        z.nullable(wholeNumber(0, 1000)),
        'number of rotations before it ends; 0: end 3s after all replicas have become ready; if unset, run until stopped',
      ),
      kubeletDelayMs: commandFlag(
        'kubelet-delay',
        'DURATION',
        '3s',
        duration({ fromMs: 0, toMs: 3_600_000 }),
        'delay until a kubelet that is not nudged mounts a changed Secret; replicas nudge theirs',
      ),
      port: commandFlag(
        'port',
        'PORT',
        null,
        z.nullable(wholeNumber(0, 65_535)),
        'port of the status page; if unset or 0, any free port',
      ),
      handler: file('handler', 'handler module that the replicas call; if unset, they admit everything'),
      review: file('review', 'object, or AdmissionReview, that they are called with; if unset, a ConfigMap'),
      json,
    },
    exits: ['no call failed', 'a call failed, a rotation did not finish in time, or a fatal error'],
    examples: [
      ['webhook-certd demo', 'three replicas, until Ctrl-C'],
      ['webhook-certd demo --handler ./handler.ts --review pod.yaml', 'your handler, while certificates rotate'],
      ['webhook-certd demo --replicas 5 --rotations 3 --kubelet-delay 500ms --json', 'for a script'],
    ],
  },
  completion: {
    summary: 'print a script that completes this command line in a shell',
    operands: ['SHELL'],
    choices: ['bash', 'zsh', 'fish'],
    variables: 'none',
    flags: {},
    exits: ['printed', 'not used'],
    examples: [
      ['source <(webhook-certd completion bash)', 'in ~/.bashrc'],
      ['source <(webhook-certd completion zsh)', 'in ~/.zshrc, after compinit'],
      ['webhook-certd completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
  },
  version: {
    summary: 'print the version',
    variables: 'none',
    flags: {},
    exits: ['printed', 'not used'],
    examples: [['webhook-certd version', 'the version of this program']],
  },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof commands;

/** The names of the words that a command needs after its own, in order. */
export const operandsOf = (name: CommandName): readonly string[] => {
  const { operands = [] }: Command = commands[name];
  return operands;
};
