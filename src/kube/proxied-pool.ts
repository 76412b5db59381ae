import type { buildConnector } from 'undici';
import type { ConnectionPool } from './connection-pool.ts';
import type { Access } from './credentials.ts';

// Deadlines are ours: undici's would end a quiet watch after five minutes.
const undeadlined = { headersTimeout: 0, bodyTimeout: 0 };

/** Through the proxy of a kubeconfig: undici's, loaded only then, since it adds a third to what a replica holds. */
export const proxiedPool = ({ server, tls }: Pick<Access, 'server' | 'tls'>, proxyUrl: string): ConnectionPool => {
  const { origin } = new URL(server);
  const agent = import('undici/lib/dispatcher/proxy-agent.js').then(
    ({ default: ProxyAgent }) =>
      new ProxyAgent({
        ...undeadlined,
        allowH2: false,
        uri: proxyUrl,
        requestTls: tls as buildConnector.BuildOptions,
      }),
  );
  return {
    connect: () => undefined,
    dispatch(outgoing, answered) {
      const given = new AbortController();
      void agent.then((opened) =>
        opened.dispatch(
          { origin, ...outgoing },
          {
            onRequestStart(controller) {
              const abort = (): void => controller.abort(new Error('given up'));
              if (given.signal.aborted) abort();
              else given.signal.addEventListener('abort', abort);
            },
            onResponseStart: (_, status, headers) => {
              if (status >= 200) answered.header(status, headers);
            },
            onResponseData: (_, bytes) => answered.chunk(bytes),
            onResponseEnd: () => answered.end(),
            onResponseError: (_, error) => answered.failed(error),
          },
        ),
      );
      return () => given.abort();
    },
    close: async () => (await agent).close(),
    destroy: async () => (await agent).destroy(),
  };
};
