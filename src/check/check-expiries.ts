import type { CertificateFacts } from '../../streams/model.ts';
import { mendLeader, mendSecret } from './remedies.ts';
import { type Verdict, verdict } from './result.ts';
import type { Evidence } from './snapshot.ts';
import { timeText } from './time-text.ts';

interface Expiring {
  readonly name: string;
  readonly certificate: CertificateFacts;
  readonly renewBeforeMs: number;
  readonly remedy: string;
}

/** Renewal begins at RENEW_BEFORE, or in the last third of a shorter life; halfway through that it is overdue. */
const overdueMs = ({ notBeforeMs, notAfterMs }: CertificateFacts, renewBeforeMs: number): number => {
  const lifeMs = notAfterMs - notBeforeMs;
  return (lifeMs > renewBeforeMs ? renewBeforeMs : lifeMs / 3) / 2;
};

const judge = ({ name, certificate, renewBeforeMs, remedy }: Expiring, nowMs: number): Verdict => {
  const { notBeforeMs, notAfterMs } = certificate;
  const until = timeText.until(notAfterMs, nowMs);
  if (nowMs < notBeforeMs) return verdict.fail(name, `valid only in ${timeText.span(notBeforeMs - nowMs)}`, remedy);
  if (nowMs >= notAfterMs) return verdict.fail(name, until, remedy);
  if (notAfterMs - nowMs < overdueMs(certificate, renewBeforeMs)) {
    return verdict.warn(name, `${until}: it should have been renewed by now`, remedy);
  }
  return verdict.ok(name, until);
};

/** An older CA ends by being taken out of the bundle; one that has expired there harms nobody but scanners. */
const judgeOlder = (evidence: Evidence, certificate: CertificateFacts): Verdict => {
  const name = `older CA ${certificate.subject} ${certificate.serial.slice(0, 8)} is valid`;
  const until = timeText.until(certificate.notAfterMs, evidence.nowMs);
  return evidence.nowMs < certificate.notAfterMs
    ? verdict.ok(name, until)
    : verdict.warn(name, `${until}, and still in the bundle`, mendLeader.wakeUp(evidence));
};

/** When each certificate ends, by the API server's clock. */
export const judgeExpiries = (evidence: Evidence): readonly Verdict[] => {
  const { secret, authority, config, nowMs } = evidence;
  const leaf = secret.state === 'there' ? secret.value.leaf : null;
  const known = authority.state === 'there' && config.issuer === 'self-signed' ? authority.value : null;
  const current = known?.current ?? null;
  const older = (known?.bundle ?? []).filter(({ fingerprint }) => fingerprint !== current?.fingerprint);
  return [
    leaf === null
      ? verdict.skipped('certificate is valid', 'there is none to read')
      : judge(
          {
            name: 'certificate is valid',
            certificate: leaf,
            renewBeforeMs: config.renewBeforeMs,
            remedy: mendSecret.newPair(evidence),
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
              remedy: mendLeader.rotate(evidence, 'ca'),
            },
            nowMs,
          ),
        ]),
    ...older.map((certificate) => judgeOlder(evidence, certificate)),
  ];
};
