import { missingNames } from '../certificates/names.ts';
import { chainObjection } from '../certificates/verify-chain.ts';
import { type SecretLook, trustOf } from './inspect-secrets.ts';
import { shellWord } from './kubectl.ts';
import { mendLeader, mendSecret } from './remedies.ts';
import { unseen, type Verdict, verdict } from './result.ts';
import { announcedHash, type Evidence } from './snapshot.ts';

const judgeType = ({ config }: Evidence, { type }: SecretLook): Verdict => {
  const name = 'Secret is of type kubernetes.io/tls';
  if (type === 'kubernetes.io/tls') return verdict.ok(name, '');
  const remedy = `kubectl delete secret ${shellWord(config.secretName)} -n ${config.namespace}`;
  return verdict.warn(name, `it is of type ${type}, which cannot be changed; it is issued again once deleted`, remedy);
};

const judgePair = (evidence: Evidence, { hash, problem }: SecretLook): Verdict => {
  const name = "Secret's key fits its certificate";
  const detail = hash === null ? 'it has no tls.crt' : problem;
  return detail === null ? verdict.ok(name, '') : verdict.fail(name, detail, mendSecret.newPair(evidence));
};

const judgeAnnounced = (evidence: Evidence, { hash }: SecretLook): Verdict => {
  const name = "Secret's certificate is the announced one";
  const announced = announcedHash(evidence);
  if (announced === null || hash === null) return verdict.skipped(name, 'there is nothing to compare');
  if (announced === hash) return verdict.ok(name, hash.slice(0, 12));
  const detail = `it holds ${hash.slice(0, 12)}, announced is ${announced.slice(0, 12)}`;
  return verdict.fail(name, detail, mendLeader.wakeUp(evidence));
};

const judgeNames = (evidence: Evidence, { chain: [leaf] }: SecretLook): Verdict => {
  const name = 'certificate carries the names of the Service';
  if (leaf === undefined) return verdict.skipped(name, 'there is no readable certificate');
  const missing = missingNames(leaf, evidence.config.serviceNames);
  const { serviceName, namespace, serviceNames } = evidence.config;
  const told = `${serviceName}.${namespace}.svc and ${serviceNames.length - 1} more`;
  if (missing.length === 0) return verdict.ok(name, told);
  const detail = `it lacks ${missing.join(', ')}`;
  return verdict.fail(name, detail, mendSecret.newNames(evidence));
};

const judgeChain = (evidence: Evidence, secret: SecretLook): Verdict => {
  const [leaf, ...intermediates] = secret.chain;
  const trust = evidence.config.issuer === 'external' ? trustOf(secret) : secret.trust;
  const name = 'certificate chains to the ca.crt beside it';
  if (leaf === undefined) return verdict.skipped(name, 'there is no readable certificate');
  if (trust.length === 0) return verdict.fail(name, 'ca.crt holds no certificate', mendSecret.newPair(evidence));
  // A leaf that has expired is told by its own line.
  const objection = chainObjection({ leaf, intermediates, anchors: trust }, evidence.nowMs);
  return objection === null ? verdict.ok(name, '') : verdict.fail(name, objection.detail, mendSecret.newPair(evidence));
};

/** The Secret that replicas mount. */
export const judgeSecret = (evidence: Evidence): readonly Verdict[] => {
  const name = 'Secret exists';
  const { secret, config } = evidence;
  if (secret.state === 'absent') {
    const whose = config.issuer === 'self-signed' ? 'the leader has not issued it' : 'nobody has written it';
    const detail = `there is no Secret ${config.secretName} in ${config.namespace}: ${whose}`;
    const remedy = config.issuer === 'self-signed' ? mendLeader.wakeUp(evidence) : mendSecret.newPair(evidence);
    return [verdict.fail(name, detail, remedy)];
  }
  if (secret.state !== 'there') return [unseen(name, secret, evidence.paths.secret.path)];
  return [
    verdict.ok(name, config.secretName),
    ...[judgeType, judgePair, judgeAnnounced, judgeNames, judgeChain].map((judge) => judge(evidence, secret.value)),
  ];
};
