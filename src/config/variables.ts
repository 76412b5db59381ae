import * as z from 'zod/mini';
import { bindAddress, optionalBindAddress, reload, servingAddress, upstream } from './addresses.ts';
import {
  boolean,
  byteSize,
  caBundleTarget,
  commaSeparated,
  dnsLabel,
  dnsSubdomain,
  duration,
  hostName,
  installationName,
  issuer,
  labelSelector,
  logLevel,
  oneOf,
  string,
  timeoutOrNever,
} from './types.ts';
import { type NamedDefault, type Variable, variable } from './variable.ts';

const DAY_MS = 86_400_000;
/** Limits of Node's timers: beyond 2^31-1 ms, 24.8 days, they fire immediately. */
const TIMER = { fromMs: 1, toMs: 24 * DAY_MS };
/** Limits of durations that are compared with the wall clock; a century keeps the year of notAfter at four digits. */
const PERIOD = { fromMs: 1000, toMs: 36_500 * DAY_MS };

const namespaceFile = { read: 'namespace', description: "the service account's namespace file" } as const;
const hostname = { read: 'hostname', description: 'the hostname' } as const;
const leaseDuration = { read: null, description: 'LEASE_DURATION' } as const;
/** Without NAME: the names of KubeTemplater, which this program can take the place of. */
const named = (withName: string, withoutName: string): NamedDefault => ({ withName, withoutName });
const NAMED_SELECTOR = named('app.kubernetes.io/name=NAME', 'app.kubernetes.io/name=kubetemplater');
// A name and a namespace contain no dot, so that no two installations have the same target.
const NAMED_TARGET = named(
  'validatingwebhookconfiguration/NAME.POD_NAMESPACE',
  'validatingwebhookconfiguration/kubetemplater-validating-webhook-configuration',
);
const CERT_DIR = '/tmp/k8s-webhook-server/serving-certs';
const secretName = dnsSubdomain(253 - '-ca'.length);
const keyAlgorithm = oneOf('ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096');
const tlsVersions = { '1.3': 'TLSv1.3', '1.2': 'TLSv1.2' } as const;
const tlsVersion = z.pipe(
  oneOf('1.3', '1.2'),
  z.transform((version) => tlsVersions[version]),
);

/**
 * All variables: field, name, default, accepted values, meaning. The parser, `--help` and the configuration table of the
 * documentation derive from it.
 */
// One row per line, so that it reads as a table.
// prettier-ignore
export const variables = {
  'cluster objects': {
    name: variable('NAME', null, z.nullable(installationName), 'name of this installation, from which the names of its objects are derived'),
    namespace: variable('POD_NAMESPACE', namespaceFile, dnsLabel, 'namespace of the Lease, the Secrets and the Pods'),
    identity: variable('POD_NAME', hostname, dnsSubdomain(), "this replica's identity, the name of its Pod"),
    podSelector: variable('POD_SELECTOR', NAMED_SELECTOR, labelSelector, 'label selector of the replicas, whose acknowledgements count'),
    leaseName: variable('LEASE_NAME', named('NAME', '8377a775.my.company.com'), dnsSubdomain(), 'Lease for leader election and for announcing the certificate'),
    annotationPrefix: variable('ANNOTATION_PREFIX', named('webhook-certd', 'kubetemplater.io'), dnsSubdomain(), 'prefix of the annotations on the Lease and the Pods'),
    secretName: variable('SECRET_NAME', named('NAME-cert', 'kubetemplater-webhook-cert'), secretName, 'the mounted Secret; SECRET_NAME-ca holds the CA'),
    sourceSecret: variable('SOURCE_SECRET', null, z.nullable(dnsSubdomain()), 'with CERT_ISSUER=relay: the Secret into which another program issues, in the same namespace; mounted by no Pod'),
    serviceName: variable('SERVICE_NAME', named('NAME', 'kubetemplater-webhook-service'), dnsLabel, 'Service of the webhook; the leaf names svc, svc.ns, svc.ns.svc and svc.ns.svc.cluster.local'),
    extraDnsNames: variable('EXTRA_DNS_NAMES', '', commaSeparated(hostName), 'comma-separated DNS names, added to the leaf', { allowEmpty: true }),
    caBundleTargets: variable('CA_BUNDLE_TARGETS', NAMED_TARGET, commaSeparated(caBundleTarget), 'comma-separated TYPE/NAME of the objects whose caBundle the leader writes; empty: none', { allowEmpty: true }),
    kubeconfig: variable('KUBECONFIG', null, z.nullable(string('the path of a kubeconfig')), 'kubeconfig file, for use outside a Pod'),
  },
  'certificate at the replica': {
    certDir: variable('CERT_DIR', CERT_DIR, string('the path of a directory'), 'directory where the Secret is mounted'),
    certTimeoutMs: variable('CERT_TIMEOUT', '180s', timeoutOrNever({ toMs: TIMER.toMs }), 'time limit until the first certificate is served, then exit 1; 0: no limit'),
    tickMs: variable('TICK_INTERVAL', '2s', duration({ fromMs: 50, toMs: 3_600_000 }), 'how often the mount is polled, and the Lease while its watch is down'),
    watchStaleAfterMs: variable('WATCH_STALE_AFTER', leaseDuration, z.nullable(duration(TIMER)), 'a watch that is silent for longer is checked by a GET and replaced'),
    kubeletNudge: variable('KUBELET_NUDGE', 'true', boolean, 'write the two Pod annotations; a 403 disables it with one warning', { valueWhenBare: 'true' }),
  },
  leader: {
    leaderElection: variable('LEADER_ELECTION', 'true', boolean, 'false: never lead, never issue certificates', { valueWhenBare: 'true' }),
    leaseDurationMs: variable('LEASE_DURATION', '60s', duration({ ...TIMER, fromMs: 1000, wholeSeconds: true }), 'how long other replicas wait before they take over the Lease'),
    renewDeadlineMs: variable('RENEW_DEADLINE', '40s', duration(TIMER), 'how long a leader retries a renewal before it stops leading'),
    retryPeriodMs: variable('RETRY_PERIOD', '15s', duration(TIMER), 'interval between two attempts to acquire or renew the Lease'),
  },
  'certificates issued': {
    issuer: variable('CERT_ISSUER', 'self-signed', issuer, 'external: another program writes the Secret; the leader only announces it and injects its ca.crt. relay: another program writes SOURCE_SECRET; the leader copies it into the Secret once every caBundle trusts its ca.crt'),
    keyAlgorithm: variable('KEY_ALGORITHM', 'ecdsa-p256', keyAlgorithm, 'key algorithm of CA and leaf; also ecdsa-p384, rsa-2048, rsa-3072, rsa-4096'),
    certValidityMs: variable('CERT_VALIDITY', '365d', duration(PERIOD), 'validity of a leaf, which never outlives its CA'),
    renewBeforeMs: variable('RENEW_BEFORE', '30d', duration(PERIOD), 'how long before its expiry a leaf is renewed; if unset and not shorter than CERT_VALIDITY: after two thirds of its validity'),
    caValidityMs: variable('CA_VALIDITY', '3650d', duration(PERIOD), 'validity of a CA'),
    caRenewBeforeMs: variable('CA_RENEW_BEFORE', '365d', duration(PERIOD), 'how long before its expiry a CA is renewed; if unset and not shorter than CA_VALIDITY: after two thirds of its validity'),
    caOverlapMs: variable('CA_OVERLAP', '1h', duration({ ...PERIOD, fromMs: 0 }), 'minimum time that an older CA stays trusted after the new leaf is served everywhere'),
    trustSettleMs: variable('TRUST_SETTLE', '10s', duration({ ...TIMER, fromMs: 0 }), 'how long every API server is given to take up a changed caBundle, before a certificate that the one before would reject; 0: no time'),
  },
  serving: {
    webhookBind: variable('WEBHOOK_BIND_ADDRESS', ':9443', bindAddress(), 'address of the webhook: TLS, HTTP/1.1 only'),
    probeBind: variable('HEALTH_PROBE_BIND_ADDRESS', ':8081', bindAddress(), 'plain HTTP: /livez /healthz /readyz /status and the status page at /'),
    metricsBind: variable('METRICS_BIND_ADDRESS', ':8080', optionalBindAddress('0'), 'plain HTTP: /metrics; 0 disables'),
    handlerModule: variable('WEBHOOK_HANDLER', null, z.nullable(string('the path of a module')), 'module whose default export answers an AdmissionRequest'),
    upstream: variable('UPSTREAM_URL', null, z.nullable(upstream), 'HTTP server that requests are forwarded to, http://127.0.0.1:9000 or unix:/path'),
    serving: variable('SERVING_ADDRESS', null, z.nullable(servingAddress), 'server in this Pod that terminates TLS itself with the mounted Secret, 127.0.0.1:9443 or unix:/path; set exactly one of this, WEBHOOK_HANDLER and UPSTREAM_URL'),
    reload: variable('RELOAD', null, z.nullable(reload), 'how the server at SERVING_ADDRESS is told to read the Secret again: http://127.0.0.1:9901/reload (POST) or signal:HUP:nginx; unset: it notices by itself'),
    upstreamTimeoutMs: variable('UPSTREAM_TIMEOUT', '10s', duration(TIMER), 'time limit for a response of the upstream'),
    maxRequestBytes: variable('MAX_REQUEST_BYTES', '7MiB', byteSize, 'larger requests are rejected'),
    tlsMinVersion: variable('TLS_MIN_VERSION', '1.3', tlsVersion, 'minimum TLS version: 1.3 or 1.2'),
    clientCaFile: variable('CLIENT_CA_FILE', null, z.nullable(string('the path of a PEM file')), 'CA certificates that client certificates must chain to; read again when the file changes'),
    shutdownGraceMs: variable('SHUTDOWN_GRACE', '30s', duration({ ...TIMER, fromMs: 0 }), 'time limit for requests in flight after SIGTERM'),
  },
  logging: {
    logLevel: variable('LOG_LEVEL', 'info', logLevel, 'debug, info, warn or error; --v=1 means debug', { alias: 'v' }),
    logFormat: variable('LOG_FORMAT', 'json', oneOf('json', 'pretty'), 'pretty: for reading in a terminal'),
  },
};

type Groups = typeof variables;

type Rows = { [G in keyof Groups]: (group: Groups[G]) => void }[keyof Groups] extends (group: infer All) => void
  ? All
  : never;

/** The parsed variables, one field each. */
export type Settings = {
  readonly [F in keyof Rows]: Rows[F] extends Variable<infer T> ? T : never;
};

/** All variables with their fields, in the order of the table. */
export const settings = Object.values(variables).flatMap((group) => Object.entries(group)) as readonly (readonly [
  keyof Settings,
  Variable<unknown>,
])[];
