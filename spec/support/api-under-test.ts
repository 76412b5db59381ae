import type { Follow } from '../../src/dev-cluster/object-store.ts';
import type { Rule } from '../../src/dev-cluster/users.ts';
import { startEmbeddedApi } from './embedded-api.ts';
import type { RawApi } from './raw-api.ts';
import { startRealApi } from './real-api.ts';

/**
 * A Kubernetes API server for specs that are written once and hold on both: the embedded one, and with
 * `SPEC_API=kube-apiserver` a real one from the folder that KUBEBUILDER_ASSETS names.
 * All clients share one address, so every fault below reaches all of them.
 */
export interface ApiUnderTest extends AsyncDisposable {
  readonly kind: 'embedded' | 'kube-apiserver';
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  /** Speaks as the administrator. */
  readonly admin: RawApi;
  adminKubeconfig(): string;
  /** Makes a namespace for one spec. */
  createNamespace(name: string): Promise<void>;
  /**
   * Makes the user `system:serviceaccount:default:NAME` who may just what the rules say, and returns a token once the
   * rules are in force. A rule with a namespace is a Role's, one without a ClusterRole's.
   */
  tokenWithRules(name: string, rules: readonly Rule[]): Promise<string>;
  /** The same user as the text of a kubeconfig file. */
  userWithRules(name: string, rules: readonly Rule[]): Promise<string>;
  /** For a kubelet: see src/dev-cluster/kubelet.ts. */
  readonly follow: Follow;
  /** Gone: connections are refused. Everything stored stays. */
  stop(): Promise<void>;
  /** Back at the same address, and ready. About 3 s on the real one. */
  start(): Promise<void>;
  /** Ends every watch: in good order on the embedded server, by cutting all connections on the real one. */
  endWatches(): void;
  cutConnections(): void;
  /** Half-open: connections stand and new ones are accepted, but nothing is answered until `thaw`. */
  freeze(): void;
  thaw(): void;
  /**
   * Ends every watch and makes every resourceVersion so far too old to watch from (410). On the real one that is an etcd
   * compaction and a restart of kube-apiserver, whose cache would remember: about 3 s.
   */
  compact(): Promise<void>;
}

/** Starts the server that SPEC_API names. */
export const startApiUnderTest = (): Promise<ApiUnderTest> =>
  process.env['SPEC_API'] === 'kube-apiserver' ? startRealApi() : startEmbeddedApi();
