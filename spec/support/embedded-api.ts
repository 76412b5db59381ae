import { randomUUID } from 'node:crypto';
import { type ApiServerOptions, startApiServer } from '../../src/dev-cluster/api-server.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { freePort } from './free-port.ts';
import { accepted, rawApi } from './raw-api.ts';

/** The embedded API server as the server under test. */
export const startEmbeddedApi = async (options: ApiServerOptions = {}): Promise<ApiUnderTest> => {
  // The port is kept across a restart.
  const server = await startApiServer({ port: await freePort(), ...options });
  const { url, caPem, adminToken } = server;
  const admin = rawApi({ url, caPem, token: adminToken });
  const tokenWithRules: ApiUnderTest['tokenWithRules'] = (name, rules) => {
    const token = randomUUID();
    server.addUser({ token, user: `system:serviceaccount:default:${name}`, rules });
    return Promise.resolve(token);
  };
  return {
    kind: 'embedded',
    url,
    caPem,
    adminToken,
    admin,
    adminKubeconfig: () => server.kubeconfig(),
    createNamespace: (name) => accepted(admin.post('/api/v1/namespaces', { metadata: { name } })),
    tokenWithRules,
    userWithRules: async (name, rules) => server.kubeconfig(await tokenWithRules(name, rules)),
    follow: server.follow,
    stop: () => server.stop(),
    start: () => server.start(),
    endWatches: () => server.endWatches(),
    cutConnections: () => server.cutConnections(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    compact: () => {
      server.compact();
      server.endWatches();
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
};
