import { startEnvtest } from '../support/envtest.ts';
import { type RawApi, rawApi } from '../support/raw-api.ts';
import { startApi } from './start-api.ts';

/** An API server in a process of its own. */
export interface FleetCluster extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly caPem: string;
  readonly adminToken: string;
  readonly admin: RawApi;
}

/** A real kube-apiserver where KUBEBUILDER_ASSETS says where one is, else the embedded one. */
export const startFleetCluster = async (): Promise<FleetCluster> => {
  if (process.env['KUBEBUILDER_ASSETS'] === undefined)
    return { ...(await startApi()), name: 'embedded API server (KUBEBUILDER_ASSETS names no kube-apiserver)' };
  const envtest = await startEnvtest();
  const { url, port, caPem, adminToken } = envtest;
  const admin = rawApi({ url, caPem, token: adminToken });
  return {
    name: 'kube-apiserver',
    port,
    caPem,
    adminToken,
    admin,
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      await envtest[Symbol.asyncDispose]();
    },
  };
};
