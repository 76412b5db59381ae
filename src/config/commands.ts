import * as z from 'zod/mini';
import { clusterFlags } from './cluster-flags.ts';
import { boolean, duration, type Schema, wholeNumber } from './types.ts';
import type { Setting } from './variable.ts';

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
      json,
    },
    exits: ['no request failed', 'a request failed, or a fatal error'],
    examples: [
      ['webhook-certd demo', 'three replicas, until Ctrl-C'],
      ['webhook-certd demo --replicas 5 --rotations 3 --kubelet-delay 500ms --json', 'for a script'],
    ],
  },
} as const;

export type CommandName = keyof typeof commands;
