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
): CommandFlag<T> => ({
  flag,
  placeholder,
  defaultValue,
  schema,
  meaning,
  valueWhenBare: placeholder === null ? 'true' : null,
});

const file = (flag: string, meaning: string): CommandFlag<string | null> =>
  commandFlag(flag, 'FILE', null, z.nullable(string('a file')), meaning);

/** An operation of an AdmissionRequest, in upper or lower case. */
const operation = z.pipe(
  z.nullable(oneOf('create', 'update', 'delete')),
  z.transform((word) => (word === null ? null : (word.toUpperCase() as 'CREATE' | 'UPDATE' | 'DELETE'))),
);

const urlPath = parsed('a path like /mutate', (text) => (/^\/[^\s?#]*$/.test(text) ? text : undefined));

const json = commandFlag('json', null, 'false', boolean, 'print JSON instead of text');

/** The commands with their own flags. All of them also accept the flags of the variables. */
export const commands = {
  serve: {
    summary: 'serve the webhook and manage its certificates; runs in every replica',
    flags: {},
    exits: ['stopped by SIGTERM or SIGINT, after draining connections', 'no certificate in time or a fatal error'],
    examples: [
      ['WEBHOOK_HANDLER=./handler.js webhook-certd', 'host a handler module'],
      ['webhook-certd --upstream-url=http://127.0.0.1:8080', 'put TLS in front of a server in the pod'],
      [
        'webhook-certd --cert-issuer external --log-format pretty --v=1',
        'certificates of an external issuer, detailed log',
      ],
    ],
  },
  check: {
    summary: 'inspect the cluster and report problems; changes nothing',
    flags: { ...clusterFlags, json },
    exits: ['no problem found', 'a problem found, or something could not be inspected'],
    examples: [
      ['webhook-certd check', 'in a replica'],
      ['webhook-certd check --json --pod-namespace=webhooks --kubeconfig ~/.kube/config', 'from a workstation'],
      ['webhook-certd check --cluster', 'every webhook of the cluster: which one fails next, and why'],
    ],
  },
  rotate: {
    summary: 'request a new leaf, or a new CA, from the leader',
    flags: { ca: commandFlag('ca', null, 'false', boolean, 'renew the CA as well as the leaf') },
    exits: ['served by every live replica', 'not served by every replica, or interrupted'],
    examples: [
      ['webhook-certd rotate', 'a new leaf'],
      ['webhook-certd rotate --ca', 'a new CA, then a new leaf'],
    ],
  },
  manifests: {
    summary: 'print every object of an installation as YAML, for kubectl apply',
    flags: {
      namespace: commandFlag(
        'namespace',
        'NAME',
        null,
        z.nullable(dnsLabel),
        'namespace of the installation; if unset, the same as --name',
      ),
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
      issuer: commandFlag('issuer', 'ISSUER', 'self-signed', issuerName, 'external: cert-manager writes the Secret'),
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
    flags: {
      namespace: commandFlag(
        'namespace',
        'NAME',
        null,
        z.nullable(dnsLabel),
        'namespace of the installation; if unset, the same as --name',
      ),
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
    summary: 'run replicas against a cluster inside this process and rotate certificates',
    flags: {
      replicas: commandFlag('replicas', 'N', '3', wholeNumber(1, 20), 'number of replicas'),
      rotations: commandFlag(
        'rotations',
        'N',
        null,
        z.nullable(wholeNumber(0, 1000)),
        'number of rotations before it ends; 0: end once all replicas have served for a while; if unset, run until stopped',
      ),
      kubeletDelayMs: commandFlag(
        'kubelet-delay',
        'DURATION',
        '3s',
        duration({ fromMs: 0, toMs: 3_600_000 }),
        'delay until the kubelet mounts a changed Secret',
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
    exits: ['no request failed', 'a request failed, or a fatal error'],
    examples: [
      ['webhook-certd demo', 'three replicas, until Ctrl-C'],
      ['webhook-certd demo --handler ./handler.ts --review pod.yaml', 'your handler, while certificates rotate'],
      ['webhook-certd demo --replicas 5 --rotations 3 --kubelet-delay 500ms --json', 'for a script'],
    ],
  },
} as const;

export type CommandName = keyof typeof commands;

/** The names of the words that a command needs after its own, in order. */
export const operandsOf = (name: CommandName): readonly string[] => {
  const command = commands[name];
  return 'operands' in command ? command.operands : [];
};
