import type { Access } from '../../src/check/access.ts';
import type { GetResult } from '../../src/check/get.ts';
import { inspectPod, type PodInfo } from '../../src/check/inspect-pod.ts';
import { type CaInfo, inspectSecret, type SecretInfo } from '../../src/check/inspect-secrets.ts';
import { unlocated } from '../../src/check/locate.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { ClusterSnapshot, LeaseInfo } from '../../src/check/snapshot.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { permissions } from '../../src/cluster/permissions.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';

type Variables = Readonly<Record<string, string>>;

/** What a command at a desk reads from these variables. */
export const configOf = (env: Variables): Config => {
  const parsed = parseConfig({
    env,
    flags: new Map(),
    serves: false,
    read: { namespace: () => null, hostname: () => 'desk' },
  });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.config;
};

/** The clock of the API server. */
export const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
/** The names in the certificate of the Service `web` in the namespace `hooks`. */
export const NAMES = ['web', 'web.hooks', 'web.hooks.svc', 'web.hooks.svc.cluster.local'] as const;
export const EXTERNAL = { env: { CERT_ISSUER: 'external' } } as const;
export const BROKEN_BLOCK = '-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n';
/** The certificate that is announced, and one that was before. */
export const ANNOUNCED = 'a'.repeat(64);
export const OLDER = 'b'.repeat(64);

const PREFIX = 'webhook-certd';
const LABELS = { 'app.kubernetes.io/name': 'web', 'pod-template-hash': 'abc' };

export const there = <T>(value: T): { readonly state: 'there'; readonly value: T } => ({ state: 'there', value });
export const absent = { state: 'absent', why: 'get it: 404 not found' } as const satisfies GetResult<never>;
export const forbidden = { state: 'forbidden', why: 'get it: 403 forbidden' } as const satisfies GetResult<never>;
export const failed = { state: 'failed', why: 'get it: 500 no answer' } as const satisfies GetResult<never>;

interface PodGiven {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
  /** Null: it has said none. */
  readonly serving?: string | null;
  /** Of its only container. */
  readonly env?: Variables;
  /** The kind of what made it; null: it was made by hand. */
  readonly owner?: 'ReplicaSet' | 'StatefulSet' | 'Job' | null;
}

/** A Pod as check reads it, which serves what is announced. */
export const podOf = (name: string, given: PodGiven = {}): PodInfo => {
  const { serving = ANNOUNCED, env = {}, owner = 'ReplicaSet' } = given;
  return inspectPod(
    PREFIX,
    'web-cert',
  )({
    metadata: {
      name,
      labels: LABELS,
      annotations: serving === null ? {} : { [`${PREFIX}/serving-hash`]: serving },
      ownerReferences: owner === null ? [] : [{ kind: owner, name: owner === 'ReplicaSet' ? 'web-abc' : 'web' }],
      ...given.metadata,
    },
    spec: {
      nodeName: 'node',
      containers: [
        {
          name: 'webhook',
          env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
          volumeMounts: [{ name: 'certs', mountPath: '/certs' }],
        },
      ],
      volumes: [{ name: 'certs', secret: { secretName: 'web-cert' } }],
      ...given.spec,
    },
    status: { conditions: [{ type: 'Ready', status: 'True' }], ...given.status },
  });
};

/** A Lease as check reads it, which the Pod `web-0` holds and announces with. */
export const leaseInfoOf = (over: Partial<LeaseInfo> = {}): LeaseInfo => ({
  ...leaseOf(ANNOUNCED, { holder: 'web-0' }),
  labels: {},
  annotations: {},
  electedBy: null,
  ...over,
});

/** A serving Secret as check reads it, without its certificates. */
export const secretInfoOf = (over: Partial<SecretInfo> = {}): SecretInfo => ({
  resourceVersion: '7',
  foreign: null,
  type: 'kubernetes.io/tls',
  labels: {},
  certificateName: null,
  hash: ANNOUNCED,
  problem: null,
  chain: [],
  leaf: null,
  trust: [],
  trustProblem: null,
  isImmutable: false,
  ...over,
});

/** One whose leaf is valid from then on. */
export const secretIssuedAt = (notBeforeMs: number) => there(secretInfoOf({ leaf: factsOf('leaf', { notBeforeMs }) }));

export interface Given extends Partial<ClusterSnapshot> {
  /** On top of those of an installation that is called `web`, in the namespace `hooks`. */
  readonly env?: Variables;
}

/** What check has read of an installation with one replica, which works as far as it was read: a spec adds what it is about. */
export const snapshotOf = ({ env = {}, ...over }: Given = {}): ClusterSnapshot => {
  const config = configOf({ POD_NAMESPACE: 'hooks', NAME: 'web', CERT_DIR: '/certs', ...env });
  return {
    located: unlocated(config),
    config,
    paths: clusterPaths(config),
    inReplica: false,
    nowMs: NOW_MS,
    skewMs: 0,
    version: 'v1.33.0',
    server: 'https://10.0.0.1:6443',
    access: [],
    accessProblem: null,
    lease: there(leaseInfoOf()),
    renewal: { renewed: true, watchedMs: 2_000, holderSkewMs: 0 },
    watchProblem: null,
    secret: absent,
    ca: absent,
    source: null,
    pods: there([podOf('web-0')]),
    workloads: there([]),
    stranger: null,
    targets: [],
    namespaceLabels: there({}),
    policies: there([]),
    components: { services: there([]), selecting: [], podLabels: [], policies: [], bound: null, accounts: null },
    certDir: { kind: 'absent', hash: null, problem: null },
    acknowledgement: null,
    ...over,
  };
};

/** The account of the replicas, with all permissions but these verbs of resources. */
export const accessWithout = (
  lacking: Readonly<Record<string, readonly string[]>>,
  {
    env = {},
    user = 'system:serviceaccount:hooks:web',
  }: { readonly env?: Variables; readonly user?: string | null } = {},
): Access => {
  const { config, paths } = snapshotOf({ env });
  const asked = permissions(config, paths);
  const denials = asked.flatMap((permission) =>
    permission.verbs
      .filter((verb) => lacking[permission.resource]?.includes(verb) === true)
      .flatMap((verb) =>
        (permission.names.length === 0 ? [null] : permission.names).map((name) => ({ permission, verb, name })),
      ),
  );
  return { user, permissions: asked, denials };
};

/** The body of a Secret with these values, as the API server answers with it. */
export const secretBody = (values: Readonly<Record<string, string | undefined>>, over: object = {}) => ({
  metadata: { resourceVersion: '7' },
  type: 'kubernetes.io/tls',
  data: Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value === undefined ? '' : Buffer.from(value).toString('base64'),
    ]),
  ),
  ...over,
});

/** A serving Secret with these values, as check reads it where webhook-certd issues it. */
export const secretOf = (...given: Parameters<typeof secretBody>) =>
  there(inspectSecret(snapshotOf().paths.issuesFor)(secretBody(...given)));

/** A CA that webhook-certd issues with, as check reads it, without its certificates. */
export const caInfoOf = (over: Partial<CaInfo> = {}): CaInfo => ({
  resourceVersion: '8',
  current: factsOf('ca'),
  problem: null,
  bundle: [factsOf('ca')],
  isForeign: false,
  isImmutable: false,
  ...over,
});

/** A result in one line, without its remedy. */
export const textOf = ({ status, name, detail }: CheckResult): string => `${status}: ${name}: ${detail}`;

/** The only result whose name begins like this. */
export const resultNamed = (results: readonly CheckResult[], beginning: string): CheckResult => {
  const [found, ...more] = results.filter(({ name }) => name.startsWith(beginning));
  if (found === undefined || more.length > 0)
    throw new Error(`one result should begin with ${beginning}:\n${results.map(textOf).join('\n')}`);
  return found;
};

/** All that is told of an object that is `forbidden`, and of one that `failed` to be read at this path. */
export const unreadableResults = (name: string, path: string): readonly (readonly CheckResult[])[] => [
  [
    {
      name,
      status: 'skipped',
      detail: 'not readable with these permissions: get it: 403 forbidden',
      remedy: null,
    },
  ],
  [{ name, status: 'fail', detail: 'get it: 500 no answer', remedy: `kubectl get --raw ${path}` }],
];
