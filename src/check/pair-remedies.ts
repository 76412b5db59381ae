import { shellQuote } from './kubectl.ts';
import { inspectLeader, requestRotation } from './remedies.ts';
import { createSelfSignedPair, deleteSecret, setAside } from './secret-remedies.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** Gets a new pair into the serving Secret: from the leader, from cert-manager, or by hand. */
export const replacePair = (snapshot: ClusterSnapshot): string => {
  const { config, paths, secret } = snapshot;
  const info = secret.state === 'there' ? secret.value : null;
  // The leader copies the pair, as soon as its source can be used.
  if (config.issuer.readsSource && info?.foreign == null) return inspectLeader(snapshot);
  if (config.issuer.writesSecret)
    return info !== null && info.foreign !== null
      ? setAside(snapshot, config.secretName, paths.secret.path, info)
      : requestRotation(snapshot, 'leaf');
  // cert-manager issues again into a deleted Secret.
  return info !== null && info.certificateName !== null
    ? deleteSecret(paths.secret.path, info)
    : createSelfSignedPair(snapshot);
};

/** Gets a leaf with the right names. Names that a cert-manager Certificate lists have to be changed there. */
export const replaceNames = (snapshot: ClusterSnapshot): string => {
  const { config, secret } = snapshot;
  const certificate = secret.state === 'there' ? secret.value.certificateName : null;
  if (config.issuer.writesSecret || certificate === null) return replacePair(snapshot);
  const patch = JSON.stringify({ spec: { dnsNames: config.serviceNames } });
  return `kubectl patch certificate ${shellQuote(certificate)} -n ${config.namespace} --type=merge -p ${shellQuote(patch)}`;
};
