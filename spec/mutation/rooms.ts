/** One part of the code that is mutated as a whole: its files, the specs that are run on each mutant, and the score it must reach. */
export interface MutatedRoom {
  readonly mutate: readonly string[];
  /** Null: those of stryker.config.json. Only specs that stay in this process and are fast: each mutant of a constant runs them all. */
  readonly spec: readonly string[] | null;
  /** In percent. */
  readonly minimum: number;
}

const room = (mutate: readonly string[], spec: readonly string[]): MutatedRoom => ({ mutate, spec, minimum: 90 });

/** What `npm run mutate -- --room` accepts. */
export const MUTATED_ROOMS = {
  streams: { mutate: ['streams/**/*.ts'], spec: null, minimum: 97 },
  cluster: room(['src/cluster/*.ts'], ['spec/cluster/*.spec.ts']),
  status: room(['src/status/*.ts'], ['spec/status/*.spec.ts']),
  metrics: room(['src/metrics/*.ts'], ['spec/metrics/*.spec.ts']),
  config: room(['src/config/*.ts'], ['spec/config/!(any-environment|completion).spec.ts']),
  certificates: room(
    ['src/certificates/!(mount|secret-volume|watch-directory).ts'],
    ['spec/certificates/!(go-verifier|mount|rotation-matrix|volume-kind|watch-directory).spec.ts'],
  ),
  mount: room(
    ['src/certificates/@(mount|secret-volume|watch-directory).ts'],
    ['spec/certificates/@(mount|secret-volume|volume-kind|watch-directory).spec.ts'],
  ),
  webhook: room(
    ['src/webhook/!(connections|https-server|loopback-handshake|server).ts'],
    [
      'spec/webhook/@(admission|admission-exchange|admission-schema|client-ca|connection-policy|forward|handler-api|load-handler|neighbour|reject|reload|request|serving|tls|upstream).spec.ts',
    ],
  ),
  kube: room(
    ['src/kube/@(body|errors|in-cluster|managed-fields|request|watch-objects).ts'],
    ['spec/kube/@(body|errors|in-cluster|managed-fields|request|watch-objects).spec.ts'],
  ),
  check: room(
    [
      'src/check/@(check-components|cluster-config-findings|cluster-finding|cluster-metrics|inspect-components|inspect-pod|matching|report).ts',
    ],
    [
      'spec/check/@(cluster-config-findings|cluster-finding|cluster-metrics|components|inspect-pod|matching|network|report).spec.ts',
    ],
  ),
  findings: room(
    ['src/check/@(check-admission|check-network|cluster-reach-findings|kubectl|result|snapshot).ts'],
    ['spec/check/@(admission|cluster-reach-findings|kubectl|matching|network|report).spec.ts'],
  ),
  verdicts: room(
    [
      'src/check/@(check-api-server|check-expiries|check-lease|check-mounts|check-permissions|check-replicas|check-secrets|check-settings|check-targets|remedies).ts',
    ],
    [
      'spec/check/@(check-api-server|check-expiries|check-lease|check-mounts|check-permissions|check-replicas|check-secrets|check-settings|check-targets|remedy-commands).spec.ts',
    ],
  ),
  readings: room(
    ['src/check/@(inspect-secrets|inspect-target|locate|pod-settings).ts'],
    ['spec/check/@(inspect-secrets|inspect-target|locate|pod-settings).spec.ts'],
  ),
  survey: room(
    [
      'src/check/@(cluster-access|cluster-backends|cluster-hooks|cluster-issuer|cluster-report|cluster-secrets|cluster-trust|cluster-trust-findings).ts',
      'src/commands/rotation-follow.ts',
    ],
    [
      'spec/check/@(cluster-access|cluster-backends|cluster-hooks|cluster-issuer|cluster-report|cluster-secrets|cluster-trust|cluster-trust-findings).spec.ts',
      'spec/commands/rotation-follow.spec.ts',
    ],
  ),
  commands: room(['src/commands/rotation-progress.ts'], ['spec/commands/rotation-progress.spec.ts']),
  util: room(
    ['src/util/@(errors|files|hash|ip|redact|time).ts'],
    ['spec/util/@(errors|files|ip|redact|time).spec.ts', 'spec/logging/secrets.spec.ts'],
  ),
  rotate: room(['src/commands/rotate.ts'], ['spec/commands/rotate-request.spec.ts']),
  desk: room(
    ['src/commands/@(check|check-cluster|desk).ts'],
    ['spec/commands/@(check|check-cluster|check-every|desk).spec.ts'],
  ),
  daemon: room(['src/daemon/*.ts'], ['spec/daemon/@(closing-order|composition|daemon).spec.ts']),
  logging: room(['src/logging/*.ts'], ['spec/logging/*.spec.ts']),
} as const satisfies Readonly<Record<string, MutatedRoom>>;

export type RoomName = keyof typeof MUTATED_ROOMS;
