import type { CertificateInfo } from '../../streams/model.ts';
import { leaderRemedy, secretRemedy } from './remedies.ts';
import { type CheckResult, result } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';
import { timeText } from './time-text.ts';

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

const judge = ({ name, certificate, renewBeforeMs, remedy }: Expiring, nowMs: number): CheckResult => {
  const { notBeforeMs, notAfterMs } = certificate;
  const until = timeText.until(notAfterMs, nowMs);
  if (nowMs < notBeforeMs) return result.fail(name, `valid only in ${timeText.span(notBeforeMs - nowMs)}`, remedy);
  if (nowMs >= notAfterMs) return result.fail(name, until, remedy);
  if (notAfterMs - nowMs < overdueMs(certificate, renewBeforeMs)) {
    return result.warn(name, `${until}: it should have been renewed by now`, remedy);
  }
  return result.ok(name, until);
};

/** An older CA ends by being taken out of the bundle; one that has expired there harms nobody but scanners. */
const judgeOlder = (evidence: ClusterSnapshot, certificate: CertificateInfo): CheckResult => {
  const name = `older CA ${certificate.subject} ${certificate.serial.slice(0, 8)} is valid`;
  const until = timeText.until(certificate.notAfterMs, evidence.nowMs);
  return evidence.nowMs < certificate.notAfterMs
    ? result.ok(name, until)
    : result.warn(name, `${until}, and still in the bundle`, leaderRemedy.wakeUp(evidence));
};

/** When each certificate ends, by the API server's clock. */
export const checkExpiries = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const { secret, authority, config, nowMs } = evidence;
  const leaf = secret.state === 'there' ? secret.value.leaf : null;
  const known = authority.state === 'there' && config.issuer.keepsCa ? authority.value : null;
  const current = known?.current ?? null;
  const older = (known?.bundle ?? []).filter(({ fingerprint }) => fingerprint !== current?.fingerprint);
  return [
    leaf === null
      ? result.skipped('certificate is valid', 'there is none to read')
      : judge(
          {
            name: 'certificate is valid',
            certificate: leaf,
            renewBeforeMs: config.renewBeforeMs,
            remedy: secretRemedy.newPair(evidence),
          },
          nowMs,
        ),
    ...(current === null
      ? []
      : [
          judge(
            {
              name: 'CA is valid',
              certificate: current,
              renewBeforeMs: config.caRenewBeforeMs,
              remedy: leaderRemedy.rotate(evidence, 'ca'),
            },
            nowMs,
          ),
        ]),
    ...older.map((certificate) => judgeOlder(evidence, certificate)),
  ];
};
