import type { CertificateInfo } from '../../streams/model.ts';
import { formatExpiry, formatSpan } from '../util/time.ts';
import type { CaInfo } from './inspect-secrets.ts';
import { describeSecret, inspectLeader, replacePair, requestRotation } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

interface Expiring {
  readonly name: string;
  readonly certificate: CertificateInfo;
  readonly renewBeforeMs: number;
  readonly remedy: string;
}

/** Renewal begins at RENEW_BEFORE, or in the last third of a shorter life; halfway through that it is overdue. */
const overdueMs = ({ notBeforeMs, notAfterMs }: CertificateInfo, renewBeforeMs: number): number => {
  const lifeMs = notAfterMs - notBeforeMs;
  return (lifeMs > renewBeforeMs ? renewBeforeMs : lifeMs / 3) / 2;
};

const checkExpiry = ({ name, certificate, renewBeforeMs, remedy }: Expiring, nowMs: number): CheckResult => {
  const { notBeforeMs, notAfterMs } = certificate;
  const until = formatExpiry(notAfterMs, nowMs);
  if (nowMs < notBeforeMs) return fail(name, `not valid before ${formatSpan(notBeforeMs - nowMs)} from now`, remedy);
  if (nowMs >= notAfterMs) return fail(name, until, remedy);
  if (notAfterMs - nowMs < overdueMs(certificate, renewBeforeMs)) {
    return warn(name, `${until}: it should have been renewed by now`, remedy);
  }
  return ok(name, until);
};

/** Checks a CA that is being retired. It is removed from the bundle in time; an expired one only upsets scanners. */
const checkOlderCa = (snapshot: ClusterSnapshot, certificate: CertificateInfo): CheckResult => {
  const name = `older CA ${certificate.subject} ${certificate.serial.slice(0, 8)} is valid`;
  const until = formatExpiry(certificate.notAfterMs, snapshot.nowMs);
  return snapshot.nowMs < certificate.notAfterMs
    ? ok(name, until)
    : warn(name, `${until}, and still in the bundle`, inspectLeader(snapshot));
};

/** Checks the CA that the leader issues with, and the older ones beside it. */
const checkCas = (snapshot: ClusterSnapshot, { current, bundle, isForeign }: CaInfo): readonly CheckResult[] => {
  const { config, paths, nowMs } = snapshot;
  const older = (bundle ?? []).filter(({ fingerprint }) => fingerprint !== current?.fingerprint);
  // A rotation would replace the CA of another party by a generated one.
  const remedy = isForeign ? describeSecret(snapshot, paths.ca.name) : requestRotation(snapshot, 'ca');
  const { caRenewBeforeMs: renewBeforeMs } = config;
  return [
    ...(current === null
      ? []
      : [checkExpiry({ name: 'CA is valid', certificate: current, renewBeforeMs, remedy }, nowMs)]),
    ...older.map((certificate) => checkOlderCa(snapshot, certificate)),
  ];
};

/** Checks the validity of each certificate by the API server's clock. */
export const checkExpiries = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { secret, ca, config, nowMs } = snapshot;
  const name = 'certificate is valid';
  const leaf = secret.state === 'there' ? secret.value.leaf : null;
  const { renewBeforeMs } = config;
  return [
    leaf === null
      ? skipped(name, 'no readable certificate')
      : checkExpiry({ name, certificate: leaf, renewBeforeMs, remedy: replacePair(snapshot) }, nowMs),
    ...(ca.state === 'there' && config.issuer.keepsCa ? checkCas(snapshot, ca.value) : []),
  ];
};
