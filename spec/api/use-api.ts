import { randomBytes } from 'node:crypto';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import type { RawApi } from '../support/raw-api.ts';

let starting: Promise<ApiUnderTest> | undefined;

// A root hook: one server serves all conformance specs of a run, since a real one takes seconds to start. A process of
// `npm test` has several runs, one for each file: only the first has this hook, and the end of the process ends what follows.
after(async () => {
  const started = await starting;
  starting = undefined;
  await started?.[Symbol.asyncDispose]();
});

/** The server of this run, and paths into a namespace of the calling suite's own. */
export interface ApiFixture {
  readonly server: ApiUnderTest;
  readonly admin: RawApi;
  readonly namespace: string;
  readonly leases: string;
  readonly secrets: string;
  readonly pods: string;
  readonly events: string;
}

/** Called inside a `describe`: fills the fixture before its specs run. */
export const useApi = (): ApiFixture => {
  const namespace = `spec-${randomBytes(4).toString('hex')}`;
  const core = `/api/v1/namespaces/${namespace}`;
  let server: ApiUnderTest | undefined;
  before(async function () {
    this.timeout(60_000);
    server = await (starting ??= startApiUnderTest());
    await server.createNamespace(namespace);
  });
  const started = () => {
    if (server === undefined) throw new Error('the server is there only while specs run');
    return server;
  };
  return {
    get server() {
      return started();
    },
    get admin() {
      return started().admin;
    },
    namespace,
    leases: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
    secrets: `${core}/secrets`,
    pods: `${core}/pods`,
    events: `${core}/events`,
  };
};
