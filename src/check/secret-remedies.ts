import type { CaInfo, SecretInfo } from './inspect-secrets.ts';
import { shellQuote } from './kubectl.ts';
import type { ClusterSnapshot } from './snapshot.ts';

type Read = SecretInfo | CaInfo;

const secretFlag = ({ config }: Pick<ClusterSnapshot, 'config'>, name: string): string =>
  `secret ${shellQuote(name)} -n ${config.namespace}`;

/** Prints `ca.crt`, for a problem that only the issuer of the Secret can fix. */
export const showTrustBundle = (snapshot: Pick<ClusterSnapshot, 'config'>): string =>
  `kubectl get ${secretFlag(snapshot, snapshot.config.secretName)} -o jsonpath=${String.raw`'{.data.ca\.crt}'`} | base64 -d`;

/** Shows what a Secret holds, without the values. */
export const describeSecret = (snapshot: Pick<ClusterSnapshot, 'config'>, name: string): string =>
  `kubectl describe ${secretFlag(snapshot, name)}`;

/** Deletes a Secret, if it is still the one that was read. */
export const deleteSecret = (path: string, { resourceVersion }: Read): string => {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } };
  return `echo ${shellQuote(JSON.stringify(options))} | kubectl delete --raw ${shellQuote(path)} -f -`;
};

/** Saves a Secret to a file and deletes it, if it is still the one that was read, so that the leader issues again. */
export const setAside = (snapshot: Pick<ClusterSnapshot, 'config'>, name: string, path: string, read: Read): string => {
  const file = shellQuote(`${name}.backup.yaml`);
  return `(umask 077 && kubectl get ${secretFlag(snapshot, name)} -o yaml > ${file}) && ${deleteSecret(path, read)}`;
};

/** Recreates a Secret with the same data and without `immutable`, which cannot be unset otherwise. */
export const recreateMutable = (snapshot: Pick<ClusterSnapshot, 'config'>, name: string): string => {
  const get = `kubectl get ${secretFlag(snapshot, name)} -o`;
  const isImmutable = `test "$(${get} jsonpath='{.immutable}')" = true`;
  return `${isImmutable} && ${get} json | sed 's/"immutable": true/"immutable": false/' | kubectl replace --force -f -`;
};

/**
 * Makes a self-signed pair with the right names, for users without an issuer at hand: into a Secret that does not exist,
 * or in the place of the pair that was read.
 */
export const createSelfSignedPair = (snapshot: ClusterSnapshot): string => {
  const { config, secret } = snapshot;
  const names = config.serviceNames.map((name) => `DNS:${name}`).join(',');
  const request = [
    '(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 365',
    `-subj /CN=${config.serviceName} -addext ${shellQuote(`subjectAltName=${names}`)}) &&`,
  ].join(' ');
  if (secret.state !== 'there') {
    const create = `kubectl create secret generic ${shellQuote(config.secretName)} -n ${config.namespace}`;
    return `${request} ${create} --type=kubernetes.io/tls --from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt`;
  }
  const { resourceVersion } = secret.value;
  const value = (file: string): string => `"'"$(base64 <${file} | tr -d '\\n')"'"`;
  const operations = [
    `{"op":"test","path":"/metadata/resourceVersion","value":"${resourceVersion}"}`,
    ...[
      ['tls.crt', 'tls.crt'],
      ['tls.key', 'tls.key'],
      ['ca.crt', 'tls.crt'],
    ].map(([key = '', file = '']) => `{"op":"add","path":"/data/${key}","value":${value(file)}}`),
  ];
  return `${request} kubectl patch ${secretFlag(snapshot, config.secretName)} --type=json -p '[${operations.join(',')}]'`;
};
