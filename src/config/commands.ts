import * as z from 'zod/mini';
import { boolean, duration, type Schema, wholeNumber } from './types.ts';
import type { Setting } from './variable.ts';

/** A flag of one command, which is no environment variable. */
export interface CommandFlag<T> extends Setting<T> {
  /** What its value is called in help; null for a switch. */
  readonly placeholder: string | null;
  readonly defaultValue: string | null;
}

/** A row of a command's own flags. */
const commandFlag = <T>(
  flag: string,
  placeholder: string | null,
  standard: string | null,
  schema: Schema<T>,
  meaning: string,
): CommandFlag<T> => ({
  flag,
  placeholder,
  defaultValue: standard,
  schema,
  meaning,
  valueWhenBare: placeholder === null ? 'true' : null,
});

const json = commandFlag('json', null, 'false', boolean, 'one JSON document instead of text');

/** Every command with the flags that are its own; all of them take the variables' flags too. */
export const commands = {
  serve: {
    summary: 'serve the webhook and keep its certificates true; what runs in every replica',
    own: {},
    exits: ['after SIGTERM or SIGINT once drained', 'no certificate in time or a fatal error'],
    examples: [
      ['WEBHOOK_HANDLER=./handler.js webhook-certd', 'host a handler module'],
      ['webhook-certd --upstream-url=http://127.0.0.1:8080', 'put TLS in front of a server in the pod'],
      [
        'webhook-certd --cert-issuer external --log-format pretty --v=1',
        'certificates by somebody else, told in detail',
      ],
    ],
  },
  check: {
    summary: 'look at the cluster and say what is wrong; changes nothing',
    own: { json },
    exits: ['nothing is wrong', 'something is wrong, or could not be looked at'],
    examples: [
      ['webhook-certd check', 'in a replica'],
      ['webhook-certd check --json --pod-namespace=webhooks --kubeconfig ~/.kube/config', 'from a desk'],
    ],
  },
  rotate: {
    summary: 'ask the leader for a new leaf, or a new CA, now',
    own: { ca: commandFlag('ca', null, 'false', boolean, 'the CA too, not only the leaf') },
    exits: ['served by every live replica', 'not served by all, or not waited for'],
    examples: [
      ['webhook-certd rotate', 'a new leaf'],
      ['webhook-certd rotate --ca', 'a new CA, then a new leaf'],
    ],
  },
  demo: {
    summary: 'run replicas against a cluster inside this process and rotate before your eyes',
    own: {
      replicas: commandFlag('replicas', 'N', '3', wholeNumber(1, 20), 'how many replicas to run'),
      rotations: commandFlag(
        'rotations',
        'N',
        null,
        z.nullable(wholeNumber(0, 1000)),
        'end after that many, with 0 once all have served for a while; without it, go on until stopped',
      ),
      kubeletDelayMs: commandFlag(
        'kubelet-delay',
        'DURATION',
        '3s',
        duration({ fromMs: 0, toMs: 3_600_000 }),
        'how long the kubelet takes to mount a changed Secret',
      ),
      port: commandFlag(
        'port',
        'PORT',
        null,
        z.nullable(wholeNumber(0, 65_535)),
        'of the status page; without it, or with 0, any free port',
      ),
      json,
    },
    exits: ['no call failed', 'a call failed, or a fatal error'],
    examples: [
      ['webhook-certd demo', 'three replicas, until Ctrl-C'],
      ['webhook-certd demo --replicas 5 --rotations 3 --kubelet-delay 500ms --json', 'for a script'],
    ],
  },
} as const;

export type CommandName = keyof typeof commands;
