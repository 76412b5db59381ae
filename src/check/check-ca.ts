import { inspectLeader, requestRotation } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import { recreateMutable, setAside } from './secret-remedies.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** The result for a Secret that the leader has to write and cannot. */
export const immutable = (snapshot: ClusterSnapshot, name: string): CheckResult =>
  fail(
    `Secret ${name} can be changed`,
    'it is immutable, so the leader cannot renew what it contains',
    recreateMutable(snapshot, name),
  );

/** Checks Secret `SECRET_NAME-ca`, the CA that the leader issues with. */
export const checkCa = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'CA exists';
  const { ca, config, paths, secret } = snapshot;
  if (!config.issuer.keepsCa) return [skipped(name, `CERT_ISSUER=${config.issuer.name}: another issuer keeps the CA`)];
  if (ca.state === 'absent') {
    const detail = `there is no Secret ${paths.ca.name} in ${config.namespace}: no leader has created it`;
    return [fail(name, detail, inspectLeader(snapshot))];
  }
  if (ca.state !== 'there') return [unreadable(name, ca, paths.ca.path)];
  const { current, problem, bundle, isForeign, isImmutable } = ca.value;
  if (problem !== null && isForeign) {
    const detail = `webhook-certd did not write Secret ${paths.ca.name} and does not overwrite it, but cannot use it: ${problem}`;
    return [
      fail(
        'CA is usable',
        `${detail}. Correct it, or remove it so that the leader issues a CA`,
        setAside(snapshot, paths.ca.name, paths.ca.path, ca.value),
      ),
    ];
  }
  const isInBundle = bundle?.some(({ fingerprint }) => fingerprint === current?.fingerprint) ?? false;
  const keyName = 'CA key matches its certificate';
  const bundleName = 'trust bundle contains the CA';
  const published =
    secret.state === 'there' && bundle !== null
      ? bundle.every(({ fingerprint }) =>
          secret.value.trust.some(
            (trusted) => trusted.fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint,
          ),
        )
      : true;
  return [
    ok(name, current === null ? paths.ca.name : current.subject),
    ...(isImmutable ? [immutable(snapshot, paths.ca.name)] : []),
    problem === null ? ok(keyName, '') : fail(keyName, problem, requestRotation(snapshot, 'ca')),
    isInBundle
      ? ok(bundleName, bundle?.length === 1 ? '' : `and ${(bundle?.length ?? 0) - 1} older, still trusted`)
      : fail(bundleName, 'ca-bundle.crt does not contain the current CA', inspectLeader(snapshot)),
    ...(published
      ? []
      : [warn('Secret contains the whole trust bundle', 'its ca.crt lacks a CA', inspectLeader(snapshot))]),
  ];
};
