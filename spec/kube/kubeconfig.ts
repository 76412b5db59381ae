export interface KubeconfigParts {
  readonly server: string;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** A kubeconfig with one context. JSON is YAML. */
export const kubeconfig = ({ server, cluster = {}, user = {} }: KubeconfigParts): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'spec',
    contexts: [{ name: 'spec', context: { cluster: 'here', user: 'me' } }],
    clusters: [{ name: 'here', cluster: { server, ...cluster } }],
    users: [{ name: 'me', user }],
  });

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
