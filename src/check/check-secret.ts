import { missingNames } from '../certificates/names.ts';
import { verifyChain } from '../certificates/verify-chain.ts';
import { type SecretInfo, trustAnchors } from './inspect-secrets.ts';
import { shellQuote } from './kubectl.ts';
import { leaderRemedy, secretRemedy } from './remedies.ts';
import { type CheckResult, result, unreadable } from './result.ts';
import { announcedHash, type ClusterSnapshot } from './snapshot.ts';

const judgeType = ({ config }: ClusterSnapshot, { type }: SecretInfo): CheckResult => {
  const name = 'Secret is of type kubernetes.io/tls';
  if (type === 'kubernetes.io/tls') return result.ok(name, '');
  const remedy = `kubectl delete secret ${shellQuote(config.secretName)} -n ${config.namespace}`;
  return result.warn(name, `it is of type ${type}, which cannot be changed; it is issued again once deleted`, remedy);
};

const judgePair = (evidence: ClusterSnapshot, { hash, problem }: SecretInfo): CheckResult => {
  const name = "Secret's key fits its certificate";
  const detail = hash === null ? 'it has no tls.crt' : problem;
  return detail === null ? result.ok(name, '') : result.fail(name, detail, secretRemedy.newPair(evidence));
};

const judgeAnnounced = (evidence: ClusterSnapshot, { hash }: SecretInfo): CheckResult => {
  const name = "Secret's certificate is the announced one";
  const announced = announcedHash(evidence);
  if (announced === null || hash === null) return result.skipped(name, 'there is nothing to compare');
  if (announced === hash) return result.ok(name, hash.slice(0, 12));
  const detail = `it holds ${hash.slice(0, 12)}, announced is ${announced.slice(0, 12)}`;
  return result.fail(name, detail, leaderRemedy.wakeUp(evidence));
};

const judgeNames = (evidence: ClusterSnapshot, { chain: [leaf] }: SecretInfo): CheckResult => {
  const name = 'certificate carries the names of the Service';
  if (leaf === undefined) return result.skipped(name, 'there is no readable certificate');
  const missing = missingNames(leaf, evidence.config.serviceNames);
  const { serviceName, namespace, serviceNames } = evidence.config;
  const told = `${serviceName}.${namespace}.svc and ${serviceNames.length - 1} more`;
  if (missing.length === 0) return result.ok(name, told);
  const detail = `it lacks ${missing.join(', ')}`;
  return result.fail(name, detail, secretRemedy.newNames(evidence));
};

const judgeChain = (evidence: ClusterSnapshot, secret: SecretInfo): CheckResult => {
  const [leaf, ...intermediates] = secret.chain;
  const trust = evidence.config.issuer.keepsCa ? secret.trust : trustAnchors(secret);
  const name = 'certificate chains to the ca.crt beside it';
  if (leaf === undefined) return result.skipped(name, 'there is no readable certificate');
  if (trust.length === 0) return result.fail(name, 'ca.crt holds no certificate', secretRemedy.newPair(evidence));
  // A leaf that has expired is told by its own line.
  const objection = verifyChain({ leaf, intermediates, anchors: trust }, evidence.nowMs);
  return objection === null ? result.ok(name, '') : result.fail(name, objection.detail, secretRemedy.newPair(evidence));
};

/** The Secret that replicas mount. */
export const checkSecret = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'Secret exists';
  const { secret, config } = evidence;
  if (secret.state === 'absent') {
    const whose = config.issuer.writesSecret ? 'the leader has not issued it' : 'nobody has written it';
    const detail = `there is no Secret ${config.secretName} in ${config.namespace}: ${whose}`;
    const remedy = config.issuer.writesSecret ? leaderRemedy.wakeUp(evidence) : secretRemedy.newPair(evidence);
    return [result.fail(name, detail, remedy)];
  }
  if (secret.state !== 'there') return [unreadable(name, secret, evidence.paths.secret.path)];
  return [
    result.ok(name, config.secretName),
    ...[judgeType, judgePair, judgeAnnounced, judgeNames, judgeChain].map((judge) => judge(evidence, secret.value)),
  ];
};
