import * as z from 'zod/mini';
import { bindAddress, optionalBindAddress, upstream } from './addresses.ts';
import { caBundleTarget } from './ca-bundle-target.ts';
import {
  boolean,
  byteSize,
  commaSeparated,
  dnsLabel,
  dnsSubdomain,
  duration,
  hostName,
  issuer,
  labelSelector,
  logLevel,
  oneOf,
  string,
} from './types.ts';
import { type Variable, variable } from './variable.ts';

const DAY_MS = 86_400_000;
/** A Node timer counts to 2^31-1 ms, 24.8 days, and fires at once when asked for more. */
const timer = { fromMs: 1, toMs: 24 * DAY_MS };
/** Compared with the wall clock, never given to a timer; a century keeps notAfter within its four-digit years. */
const span = { fromMs: 1000, toMs: 36_500 * DAY_MS };

const patience = z.pipe(
  duration({ ...timer, fromMs: 0, note: '0: wait for ever' }),
  z.transform((durationMs) => (durationMs === 0 ? null : durationMs)),
);

const namespaceFile = { read: 'namespace', said: "the service account's namespace file" } as const;
const hostname = { read: 'hostname', said: 'the hostname' } as const;
const leaseDuration = { read: null, said: 'LEASE_DURATION' } as const;
const STANDARD_TARGET = 'validatingwebhookconfiguration/kubetemplater-validating-webhook-configuration';
const CERT_DIR = '/tmp/k8s-webhook-server/serving-certs';
const secretName = dnsSubdomain(253 - '-ca'.length);
const keyAlgorithm = oneOf('ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096');
const tlsVersions = { '1.3': 'TLSv1.3', '1.2': 'TLSv1.2' } as const;
const tlsVersion = z.pipe(
  oneOf('1.3', '1.2'),
  z.transform((version) => tlsVersions[version]),
);

/**
 * Every variable: field, name, default, what is accepted, meaning. The parser, `--help` and the README's table all come
 * from here.
 */
// One row a line, to be read as a table.
// prettier-ignore
export const variables = {
  'cluster objects': {
    namespace: variable('POD_NAMESPACE', namespaceFile, dnsLabel, 'namespace of Lease, Secrets and Pods'),
    identity: variable('POD_NAME', hostname, dnsSubdomain(), "this replica's identity, the name of its Pod"),
    podSelector: variable('POD_SELECTOR', 'app.kubernetes.io/name=kubetemplater', labelSelector, 'the replicas whose acknowledgement counts'),
    leaseName: variable('LEASE_NAME', '8377a775.my.company.com', dnsSubdomain(), 'the Lease of election and announcement'),
    annotationPrefix: variable('ANNOTATION_PREFIX', 'kubetemplater.io', dnsSubdomain(), 'what the annotations on Lease and Pods begin with'),
    secretName: variable('SECRET_NAME', 'kubetemplater-webhook-cert', secretName, 'the mounted Secret; SECRET_NAME-ca holds the CA'),
    serviceName: variable('SERVICE_NAME', 'kubetemplater-webhook-service', dnsLabel, 'names in the leaf: svc, svc.ns, svc.ns.svc, svc.ns.svc.cluster.local'),
    extraDnsNames: variable('EXTRA_DNS_NAMES', '', commaSeparated(hostName), 'comma-separated, added to the leaf', { allowEmpty: true }),
    caBundleTargets: variable('CA_BUNDLE_TARGETS', STANDARD_TARGET, commaSeparated(caBundleTarget), 'comma-separated TYPE/NAME whose caBundle is kept true; empty: none', { allowEmpty: true }),
    kubeconfig: variable('KUBECONFIG', null, z.nullable(string('the path of a kubeconfig')), 'how to reach the cluster from outside a pod'),
  },
  'certificate at the replica': {
    certDir: variable('CERT_DIR', CERT_DIR, string('the path of a directory'), 'where the Secret is mounted'),
    certTimeoutMs: variable('CERT_TIMEOUT', '180s', patience, 'first certificate must be served by then, else exit 1; 0: wait for ever'),
    tickMs: variable('TICK_INTERVAL', '2s', duration({ fromMs: 50, toMs: 3_600_000 }), 'the fallback interval'),
    watchStaleAfterMs: variable('WATCH_STALE_AFTER', leaseDuration, z.nullable(duration(timer)), 'a watch silent for longer is checked by a GET and replaced'),
    kubeletNudge: variable('KUBELET_NUDGE', 'true', boolean, 'write the two Pod annotations; a 403 disables it with one warning', { valueWhenBare: 'true' }),
  },
  leader: {
    leaderElection: variable('LEADER_ELECTION', 'true', boolean, 'false: never issue', { valueWhenBare: 'true' }),
    leaseDurationMs: variable('LEASE_DURATION', '60s', duration({ ...timer, fromMs: 1000, wholeSeconds: true }), 'how long the others wait before they take over'),
    renewDeadlineMs: variable('RENEW_DEADLINE', '40s', duration(timer), 'how long a leader tries to renew before it stops leading'),
    retryPeriodMs: variable('RETRY_PERIOD', '15s', duration(timer), 'the pause between two tries'),
  },
  'certificates issued': {
    issuer: variable('CERT_ISSUER', 'self-signed', issuer, 'external: somebody else writes the Secret; the leader only announces it and injects its ca.crt'),
    keyAlgorithm: variable('KEY_ALGORITHM', 'ecdsa-p256', keyAlgorithm, 'also ecdsa-p384, rsa-2048, rsa-3072, rsa-4096'),
    certValidityMs: variable('CERT_VALIDITY', '365d', duration(span), "how long a leaf is valid, cut to its CA's end"),
    renewBeforeMs: variable('RENEW_BEFORE', '30d', duration(span), 'how long before its end a leaf is renewed; unset and not shorter than CERT_VALIDITY: after two thirds of its life'),
    caValidityMs: variable('CA_VALIDITY', '3650d', duration(span), 'how long a CA is valid'),
    caRenewBeforeMs: variable('CA_RENEW_BEFORE', '365d', duration(span), 'how long before its end a CA is renewed; unset and not shorter than CA_VALIDITY: after two thirds of its life'),
    caOverlapMs: variable('CA_OVERLAP', '1h', duration({ ...span, fromMs: 0 }), 'the least time an older CA stays trusted after the new leaf is served everywhere'),
  },
  serving: {
    webhookBind: variable('WEBHOOK_BIND_ADDRESS', ':9443', bindAddress(), 'TLS; HTTP/1.1 only'),
    probeBind: variable('HEALTH_PROBE_BIND_ADDRESS', ':8081', bindAddress(), 'plain HTTP: /livez /healthz /readyz /status and the status page at /'),
    metricsBind: variable('METRICS_BIND_ADDRESS', ':8080', optionalBindAddress('0'), 'plain HTTP: /metrics; 0 disables'),
    handlerModule: variable('WEBHOOK_HANDLER', null, z.nullable(string('the path of a module')), 'module whose default export answers an AdmissionRequest'),
    upstream: variable('UPSTREAM_URL', null, z.nullable(upstream), 'http://127.0.0.1:8080 or unix:/path: forward to it instead; exactly one of the two is set'),
    upstreamTimeoutMs: variable('UPSTREAM_TIMEOUT', '10s', duration(timer), 'how long the upstream may take to answer'),
    maxRequestBytes: variable('MAX_REQUEST_BYTES', '7MiB', byteSize, 'a larger request is refused'),
    tlsMinVersion: variable('TLS_MIN_VERSION', '1.3', tlsVersion, 'the oldest TLS spoken: 1.3 or 1.2'),
    clientCaFile: variable('CLIENT_CA_FILE', null, z.nullable(string('the path of a PEM file')), 'authorities that callers must show a client certificate of; followed when it changes'),
    shutdownGraceMs: variable('SHUTDOWN_GRACE', '30s', duration({ ...timer, fromMs: 0 }), 'how long calls may finish after SIGTERM'),
  },
  logging: {
    logLevel: variable('LOG_LEVEL', 'info', logLevel, 'debug, info, warn or error; --v=1 means debug', { alias: 'v' }),
    logFormat: variable('LOG_FORMAT', 'json', oneOf('json', 'pretty'), 'pretty: for people'),
  },
};

type Groups = typeof variables;

type Rows = { [G in keyof Groups]: (group: Groups[G]) => void }[keyof Groups] extends (group: infer All) => void
  ? All
  : never;

/** What the variables say once read, one field each. */
export type Settings = {
  readonly [F in keyof Rows]: Rows[F] extends Variable<infer T> ? T : never;
};

/** Every variable with the field it fills, in the order of the table. */
export const settings = Object.values(variables).flatMap((group) => Object.entries(group)) as readonly (readonly [
  keyof Settings,
  Variable<unknown>,
])[];
