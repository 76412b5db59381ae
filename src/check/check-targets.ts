import type { X509Certificate } from 'node:crypto';
import { missingNames } from '../certificates/names.ts';
import { readCertificates } from '../certificates/pem.ts';
import { verifyChain } from '../certificates/verify-chain.ts';
import type { CaBundleField } from '../cluster/targets.ts';
import { trustAnchors } from './inspect-secrets.ts';
import type { TargetInfo } from './inspect-target.ts';
import { shellQuote, workloadCommands } from './kubectl.ts';
import { bundleRemedy, secretRemedy } from './remedies.ts';
import { type CheckResult, result, unreadable } from './result.ts';
import type { ClusterSnapshot, SeenTarget } from './snapshot.ts';

const read = ({ pem }: CaBundleField): readonly X509Certificate[] => {
  try {
    return readCertificates(pem);
  } catch {
    return [];
  }
};

const named = ({ subject, fingerprint256 }: X509Certificate): string =>
  (subject as string | undefined)?.split('\n').join(', ') ?? fingerprint256.slice(0, 23);

/** Every CA that is ours to trust, by fingerprint; null where nobody could say. */
const ownOf = ({ secret, authority }: ClusterSnapshot): ReadonlySet<string> | null => {
  const published =
    secret.state === 'there' ? trustAnchors(secret.value).map(({ fingerprint256 }) => fingerprint256) : [];
  const bundle = authority.state === 'there' ? (authority.value.bundle ?? []) : [];
  const spelled = bundle.map(({ fingerprint }) => fingerprint.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:'));
  return published.length + spelled.length === 0 ? null : new Set([...published, ...spelled]);
};

/** With an external issuer, the CA before stands in the caBundles alone until CA_OVERLAP has passed. */
const isOverlapping = ({ config, lease, renewal, nowMs }: ClusterSnapshot): boolean => {
  if (config.issuer.keepsCa || !renewal.renewed || lease.state !== 'there') return false;
  const { servedSinceMs } = lease.value;
  return servedSinceMs === null || nowMs < servedSinceMs + config.caOverlapMs + config.leaseDurationMs;
};

const judgeTrust = (evidence: ClusterSnapshot, target: SeenTarget, { fields }: TargetInfo): CheckResult => {
  const name = `${target.path.id} trusts what is served`;
  const [leaf, ...intermediates] = evidence.secret.state === 'there' ? evidence.secret.value.chain : [];
  if (leaf === undefined) return result.skipped(name, 'there is no readable certificate');
  const failing = fields.flatMap((field) => {
    const anchors = read(field);
    if (anchors.length === 0) return [{ field, why: field.pem === '' ? 'caBundle is empty' : 'caBundle is no PEM' }];
    const objection = verifyChain({ leaf, intermediates, anchors }, evidence.nowMs);
    return objection === null ? [] : [{ field, why: objection.detail.replace('in ca.crt', 'in caBundle') }];
  });
  const [first] = failing;
  if (first === undefined) return result.ok(name, fields.length === 1 ? '1 caBundle' : `${fields.length} caBundles`);
  const where = fields.length === 1 ? '' : `${failing.length} of ${fields.length} do not, ${first.field.pointer}: `;
  const wrong = failing.map(({ field }) => field);
  return result.fail(name, `${where}${first.why}`, bundleRemedy.inject(evidence, target, wrong));
};

const judgeForeign = (evidence: ClusterSnapshot, target: SeenTarget, { fields }: TargetInfo): CheckResult => {
  const name = `${target.path.id} trusts nobody else`;
  const own = ownOf(evidence);
  if (own === null) return result.skipped(name, 'no CA is known to be ours');
  const wrong = fields.filter((field) => read(field).some(({ fingerprint256 }) => !own.has(fingerprint256)));
  if (wrong.length === 0) return result.ok(name, '');
  if (isOverlapping(evidence)) return result.ok(name, 'but for the CA before, for CA_OVERLAP');
  const foreign = wrong.flatMap(read).filter(({ fingerprint256 }) => !own.has(fingerprint256));
  const detail = `its caBundle holds ${[...new Set(foreign.map(named))].join('; ')}, not ours`;
  return result.warn(name, detail, bundleRemedy.inject(evidence, target, wrong));
};

const checkManagers = (target: SeenTarget, { otherManagers: [otherManager] }: TargetInfo): CheckResult => {
  const name = `${target.path.id} gets its caBundle from us alone`;
  if (otherManager === undefined) return result.ok(name, '');
  const detail = `${otherManager.manager} wrote caBundle too: leave the field out of what it applies, then`;
  return result.warn(name, detail, bundleRemedy.disown(target, otherManager));
};

const judgeServers = (
  evidence: ClusterSnapshot,
  target: SeenTarget,
  { serverNames }: TargetInfo,
): readonly CheckResult[] => {
  const { config, secret } = evidence;
  const leaf = secret.state === 'there' ? secret.value.chain[0] : undefined;
  const missing = leaf === undefined ? [] : missingNames(leaf, serverNames);
  // A name that the configuration has and the leaf lacks is told beside the Secret.
  const unknown = missing.filter((each) => !config.serviceNames.includes(each));
  if (unknown.length === 0) return [];
  const extra = [...config.extraDnsNames, ...unknown].join(',');
  const remedy = config.issuer.writesSecret
    ? workloadCommands.setEnv(evidence, 'EXTRA_DNS_NAMES', extra)
    : secretRemedy.newNames({
        ...evidence,
        config: { ...config, serviceNames: [...config.serviceNames, ...unknown] },
      });
  const detail = `it calls ${unknown.join(', ')}, a name that the certificate lacks`;
  return [result.fail(`${target.path.id} calls a name of the certificate`, detail, remedy)];
};

/** Every caBundle of CA_BUNDLE_TARGETS. */
export const checkTargets = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  if (evidence.targets.length === 0) return [result.skipped('caBundles are true', 'CA_BUNDLE_TARGETS is empty')];
  return evidence.targets.flatMap((target) => {
    const { look, path } = target;
    const name = `${path.id} exists`;
    if (look.state === 'absent') {
      const remedy = `kubectl get ${path.type} -o custom-columns=NAME:.metadata.name,SERVICE:${shellQuote('.webhooks[*].clientConfig.service.name')}`;
      return [result.fail(name, 'CA_BUNDLE_TARGETS names it, and it is not there', remedy)];
    }
    if (look.state !== 'there') return [unreadable(name, look, path.path)];
    if (look.value.fields.length === 0) {
      return [
        result.warn(name, 'it has no caBundle to fill', `kubectl get ${path.type} ${shellQuote(path.name)} -o yaml`),
      ];
    }
    return [
      judgeTrust(evidence, target, look.value),
      judgeForeign(evidence, target, look.value),
      checkManagers(target, look.value),
      ...judgeServers(evidence, target, look.value),
    ];
  });
};
