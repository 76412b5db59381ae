import { leaderRemedy } from './remedies.ts';
import { type CheckResult, result, unreadable } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** Secret `SECRET_NAME-ca`, by which the leader issues. */
export const checkCa = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'CA exists';
  const { authority, config, paths, secret } = evidence;
  if (!config.issuer.keepsCa) return [result.skipped(name, 'CERT_ISSUER=external: somebody else issues')];
  if (authority.state === 'absent') {
    const detail = `there is no Secret ${paths.ca.name} in ${config.namespace}: no leader has made it`;
    return [result.fail(name, detail, leaderRemedy.wakeUp(evidence))];
  }
  if (authority.state !== 'there') return [unreadable(name, authority, paths.ca.path)];
  const { current, problem, bundle } = authority.value;
  const knows = bundle?.some(({ fingerprint }) => fingerprint === current?.fingerprint) ?? false;
  const keyName = "CA's key fits its certificate";
  const bundleName = 'trust bundle carries the CA';
  const published =
    secret.state === 'there' && bundle !== null
      ? bundle.every(({ fingerprint }) =>
          secret.value.trust.some(
            (trusted) => trusted.fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint,
          ),
        )
      : true;
  return [
    result.ok(name, current === null ? paths.ca.name : current.subject),
    problem === null ? result.ok(keyName, '') : result.fail(keyName, problem, leaderRemedy.rotate(evidence, 'ca')),
    knows
      ? result.ok(bundleName, bundle?.length === 1 ? '' : `and ${(bundle?.length ?? 0) - 1} older, still trusted`)
      : result.fail(bundleName, 'ca-bundle.crt does not hold the current CA', leaderRemedy.wakeUp(evidence)),
    ...(published
      ? []
      : [result.warn('Secret carries the whole trust bundle', 'its ca.crt lacks a CA', leaderRemedy.wakeUp(evidence))]),
  ];
};
