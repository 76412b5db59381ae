import { kubeconfig } from '../../src/dev-cluster/api-server.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { type EnvtestOptions, startEnvtest } from './envtest.ts';
import { followOverHttp } from './follow-over-http.ts';
import { grantRules } from './grant-rules.ts';
import { accepted, rawApi } from './raw-api.ts';
import { startTcpProxy } from './tcp-proxy.ts';

export interface RealApi extends ApiUnderTest {
  /** See envtest.ts; only with `audit`. */
  auditLog(): Promise<string>;
  /** See envtest.ts: kube-apiserver stays up and finds its storage gone. */
  stopEtcd(): Promise<void>;
  startEtcd(): Promise<void>;
  readonly etcdPort: number;
  /** See envtest.ts: another kube-apiserver on the same etcd. */
  beside(etcdPort: number): Promise<{ readonly url: string } & AsyncDisposable>;
}

/** A real kube-apiserver as the server under test, behind a proxy where its connections can fail. */
export const startRealApi = async (options: EnvtestOptions = {}): Promise<RealApi> => {
  const envtest = await startEnvtest(options);
  const proxy = await startTcpProxy(envtest.port);
  const { caPem, adminToken } = envtest;
  const url = `https://127.0.0.1:${proxy.port}`;
  const admin = rawApi({ url, caPem, token: adminToken });
  const tokenWithRules: ApiUnderTest['tokenWithRules'] = async (name, rules) => {
    const token = await envtest.serviceAccountToken('default', name);
    using caller = rawApi({ url, caPem, token });
    await grantRules({ admin, caller, name, rules });
    return token;
  };
  const stop = async () => {
    await proxy.stop();
    await envtest.stop();
  };
  const start = async () => {
    await envtest.start();
    await proxy.start();
  };
  return {
    kind: 'kube-apiserver',
    url,
    caPem,
    adminToken,
    admin,
    adminKubeconfig: () => kubeconfig({ url, caPem, token: adminToken }),
    createNamespace: (name) => accepted(admin.post('/api/v1/namespaces', { metadata: { name } })),
    tokenWithRules,
    userWithRules: async (name, rules) => kubeconfig({ url, caPem, token: await tokenWithRules(name, rules) }),
    follow: followOverHttp(admin),
    auditLog: () => envtest.auditLog(),
    stopEtcd: () => envtest.stopEtcd(),
    startEtcd: () => envtest.startEtcd(),
    etcdPort: envtest.etcdPort,
    beside: (etcdPort) => envtest.beside(etcdPort),
    stop,
    start,
    endWatches: () => proxy.cut(),
    cutConnections: () => proxy.cut(),
    freeze: () => proxy.freeze(),
    thaw: () => proxy.thaw(),
    compact: async () => {
      // Something must come after the newest version that is to be forgotten.
      const annotations = { 'spec.test/compacted': new Date().toISOString() };
      await admin.patch('merge', '/api/v1/namespaces/default', { metadata: { annotations } });
      await envtest.compactEtcd();
      await stop();
      await start();
    },
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      await proxy[Symbol.asyncDispose]();
      await envtest[Symbol.asyncDispose]();
    },
  };
};
