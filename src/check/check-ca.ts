import { mendLeader } from './remedies.ts';
import { unseen, type Verdict, verdict } from './result.ts';
import type { Evidence } from './snapshot.ts';

/** Secret `SECRET_NAME-ca`, by which the leader issues. */
export const judgeAuthority = (evidence: Evidence): readonly Verdict[] => {
  const name = 'CA exists';
  const { authority, config, paths, secret } = evidence;
  if (config.issuer === 'external') return [verdict.skipped(name, 'CERT_ISSUER=external: somebody else issues')];
  if (authority.state === 'absent') {
    const detail = `there is no Secret ${paths.authority.name} in ${config.namespace}: no leader has made it`;
    return [verdict.fail(name, detail, mendLeader.wakeUp(evidence))];
  }
  if (authority.state !== 'there') return [unseen(name, authority, paths.authority.path)];
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
    verdict.ok(name, current === null ? paths.authority.name : current.subject),
    problem === null ? verdict.ok(keyName, '') : verdict.fail(keyName, problem, mendLeader.rotate(evidence, 'ca')),
    knows
      ? verdict.ok(bundleName, bundle?.length === 1 ? '' : `and ${(bundle?.length ?? 0) - 1} older, still trusted`)
      : verdict.fail(bundleName, 'ca-bundle.crt does not hold the current CA', mendLeader.wakeUp(evidence)),
    ...(published
      ? []
      : [verdict.warn('Secret carries the whole trust bundle', 'its ca.crt lacks a CA', mendLeader.wakeUp(evidence))]),
  ];
};
