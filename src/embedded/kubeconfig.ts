/** What a client needs to know to reach an API server as somebody. */
export interface ApiAccess {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

/** The text of a kubeconfig file for one user of one cluster. It is JSON, which is YAML too. */
export const kubeconfig = ({ url, caPem, token }: ApiAccess): string =>
  JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'local',
          cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') },
        },
      ],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'local', context: { cluster: 'local', user: 'user' } }],
      'current-context': 'local',
    },
    null,
    2,
  );
