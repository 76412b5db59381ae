import type { Evidence } from './evidence.ts';
import { mendLeader } from './mend-leader.ts';
import { shellWord } from './shell-word.ts';

/** The whole names and key of a new self-signed pair, as a Secret: what a person does who has no issuer at hand. */
const byHand = ({ config }: Evidence): string => {
  const names = config.serviceNames.map((name) => `DNS:${name}`).join(',');
  const [secret, namespace] = [shellWord(config.secretName), config.namespace];
  return [
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 365',
    `-subj /CN=${config.serviceName} -addext ${shellWord(`subjectAltName=${names}`)}`,
    `&& kubectl create secret generic ${secret} -n ${namespace} --type=kubernetes.io/tls`,
    '--from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt --dry-run=client -o yaml',
    '| kubectl apply --server-side --force-conflicts -f -',
  ].join(' ');
};

/** How the serving Secret gets a good pair: by the leader, by cert-manager, or by hand. */
export const mendSecret = {
  newPair: (evidence: Evidence): string => {
    const { config, secret } = evidence;
    if (config.issuer === 'self-signed') return mendLeader.rotate(evidence, 'leaf');
    const managed = secret.state === 'there' && secret.value.certificateName !== null;
    // cert-manager issues again into a Secret that is gone.
    if (managed) return `kubectl delete secret ${shellWord(config.secretName)} -n ${config.namespace}`;
    return byHand(evidence);
  },
  /** Where the names are the Certificate's, they have to be put right there. */
  newNames: (evidence: Evidence): string => {
    const { config, secret } = evidence;
    const certificate = secret.state === 'there' ? secret.value.certificateName : null;
    if (config.issuer === 'self-signed' || certificate === null) return mendSecret.newPair(evidence);
    const patch = JSON.stringify({ spec: { dnsNames: config.serviceNames } });
    return `kubectl patch certificate ${shellWord(certificate)} -n ${config.namespace} --type=merge -p ${shellWord(patch)}`;
  },
} as const;
