import { isIP } from 'node:net';
import { issuers } from '../../streams/issuers.ts';
import { hostOf } from '../util/ip.ts';
import { quoted } from '../util/redact.ts';
import type { Settings } from './variables.ts';

type Field = keyof Settings;

/** Names a field with its value for a problem; tells whether it has its default value. */
export type LabelOf = (field: Field) => string;
export type IsDefault = (field: Field) => boolean;

/** client-go's JitterFactor: a retry period grows by at most this factor and must still be shorter than the deadline. */
const JITTER_FACTOR = 1.2;

/** The first duration must be longer than the second times the factor. */
const LONGER_THAN = [
  ['leaseDurationMs', 'renewDeadlineMs', 1],
  ['renewDeadlineMs', 'retryPeriodMs', JITTER_FACTOR],
  ['certValidityMs', 'renewBeforeMs', 1],
  ['caValidityMs', 'caRenewBeforeMs', 1],
] as const satisfies readonly (readonly [Field, Field, number])[];

const BIND_FIELDS = ['webhookBind', 'probeBind', 'metricsBind'] as const satisfies readonly Field[];

/** Defaults that do not apply to certificates with a shorter validity, which are renewed after two thirds of it. */
const IGNORED_AS_DEFAULT: ReadonlySet<Field> = new Set(['renewBeforeMs', 'caRenewBeforeMs']);

const durations = (values: Partial<Settings>, labelOf: LabelOf, isDefault: IsDefault): readonly string[] =>
  LONGER_THAN.flatMap(([longer, shorter, factor]) => {
    const [longerMs, shorterMs] = [values[longer], values[shorter]];
    if (IGNORED_AS_DEFAULT.has(shorter) && isDefault(shorter)) return [];
    if (longerMs === undefined || shorterMs === undefined || longerMs > shorterMs * factor) return [];
    const times = factor === 1 ? '' : `${factor} times `;
    return [`${labelOf(longer)}: expected more than ${times}${labelOf(shorter)}`];
  });

/** Whether two servers that listen on these hosts get in each other's way; null: every address. */
const overlap = (one: string | null, two: string | null): boolean => one === null || two === null || one === two;

interface HostPort {
  readonly host: string;
  readonly port: number;
}

const HTTP_PORT = 80;
const LOOPBACK = /^(?:127\.[\d.]+|::1)$/;

/** The upstream on the loopback of this Pod; null where it is elsewhere. A server of our own there would be taken for it. */
const upstreamInPod = (upstream: Settings['upstream'] | undefined): HostPort | null => {
  if (upstream?.kind !== 'http') return null;
  const url = new URL(upstream.url);
  const host = url.hostname === 'localhost' ? '127.0.0.1' : hostOf(url);
  return LOOPBACK.test(host) ? { host, port: url.port === '' ? HTTP_PORT : Number(url.port) } : null;
};

const ports = (values: Partial<Settings>, labelOf: LabelOf): readonly string[] => {
  // Where another server terminates TLS, the webhook's own does not listen.
  const { serving } = values;
  const fields = serving ? BIND_FIELDS.filter((field) => field !== 'webhookBind') : BIND_FIELDS;
  const betweenOurs = fields.flatMap((field, index) =>
    fields.slice(index + 1).flatMap((other) => {
      const [one, two] = [values[field], values[other]];
      if (!one || !two || one.port === 0 || one.port !== two.port) return [];
      return overlap(one.host, two.host) ? [`${labelOf(other)}: expected another port than ${labelOf(field)}`] : [];
    }),
  );
  const takenFrom = (neighbour: Field, { host, port }: HostPort): readonly string[] =>
    fields.flatMap((field) => {
      const own = values[field];
      if (own?.port !== port || !overlap(own.host, host)) return [];
      return [`${labelOf(neighbour)}: expected another port than ${labelOf(field)}`];
    });
  const inPod = upstreamInPod(values.upstream);
  return [
    ...betweenOurs,
    ...(serving?.kind === 'tcp' ? takenFrom('serving', serving) : []),
    ...(inPod === null ? [] : takenFrom('upstream', inPod)),
  ];
};

/** The ways to answer calls, of which there must be one. */
const WAYS = ['handlerModule', 'upstream', 'serving'] as const satisfies readonly Field[];

const admission = (values: Partial<Settings>, labelOf: LabelOf): readonly string[] => {
  // Undefined: it is set, and the value has been rejected already.
  const given = WAYS.filter((way) => values[way] !== null);
  if (given.length === 1) return [];
  const [first, second, third] = (given.length === 0 ? WAYS : given).map(labelOf);
  const listed = third === undefined ? `${first} and ${second}` : `${first}, ${second} and ${third}`;
  return [`${listed}: expected exactly one of WEBHOOK_HANDLER, UPSTREAM_URL and SERVING_ADDRESS`];
};

/** Settings that have a meaning only where another server terminates TLS, and the other way round. */
const neighbour = (values: Partial<Settings>, labelOf: LabelOf): readonly string[] => {
  const { serving, reload, clientCaFile } = values;
  if (serving === undefined) return [];
  return [
    ...(serving === null && reload ? [`${labelOf('reload')}: expected only with SERVING_ADDRESS`] : []),
    ...(serving !== null && clientCaFile
      ? [`${labelOf('clientCaFile')}: expected only where this program terminates TLS, not with SERVING_ADDRESS`]
      : []),
  ];
};

/** SOURCE_SECRET belongs to an issuer that reads one, and is another Secret than those that the leader writes. */
const source = (values: Partial<Settings>, labelOf: LabelOf): readonly string[] => {
  const { issuer, sourceSecret, secretName } = values;
  if (issuer === undefined || sourceSecret === undefined) return [];
  if (sourceSecret === null)
    return issuer.readsSource
      ? [`${labelOf('sourceSecret')}: expected the name of a Secret, which ${labelOf('issuer')} requires`]
      : [];
  if (!issuer.readsSource) {
    const readers = Object.values(issuers).filter(({ readsSource }) => readsSource);
    const names = readers.map(({ name }) => `CERT_ISSUER=${name}`).join(' or ');
    return [`${labelOf('sourceSecret')}: expected only with ${names}, not with ${labelOf('issuer')}`];
  }
  return sourceSecret === secretName || sourceSecret === `${secretName}-ca`
    ? [`${labelOf('sourceSecret')}: expected another Secret than ${labelOf('secretName')}, which the leader writes`]
    : [];
};

/**
 * Finds the problems between several values.
 *
 * @param values The fields that could be read; rules about missing fields are skipped.
 * @param serves Whether the command answers requests, which requires a handler, an upstream or a server that terminates TLS itself.
 */
export const crossChecks = (
  values: Partial<Settings>,
  { labelOf, isDefault }: { readonly labelOf: LabelOf; readonly isDefault: IsDefault },
  serves: boolean,
): readonly string[] => [
  ...durations(values, labelOf, isDefault),
  ...ports(values, labelOf),
  ...neighbour(values, labelOf),
  ...source(values, labelOf),
  ...(serves ? admission(values, labelOf) : []),
];

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i;
const PORT = /^\d{1,5}$/;

const isPort = (text: string): boolean => PORT.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/**
 * Finds the problems of the address at which a Pod reaches the API server. The kubelet sets it; a Deployment that overrides it, or
 * a Service named `kubernetes-service` (`tcp://…`), makes it unusable. Outside a Pod there is none.
 */
export const inClusterProblems = (env: Readonly<Record<string, string | undefined>>): readonly string[] => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined) return [];
  const isHost = NAME.test(host) || isIP(host) === 6;
  return [
    ...(isHost
      ? []
      : [`KUBERNETES_SERVICE_HOST=${quoted(host)}: expected an IP address without brackets, or a host name`]),
    ...(isPort(port)
      ? []
      : [`KUBERNETES_SERVICE_PORT=${quoted(port)}: expected a port from 1 to 65535, as the kubelet sets it`]),
  ];
};
