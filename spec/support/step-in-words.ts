import type { CertificateInfo } from '../../streams/model.ts';
import type { Step } from '../../streams/step.ts';

const names = (certificates: readonly CertificateInfo[]): string =>
  certificates.length === 0 ? 'nothing' : certificates.map(({ fingerprint }) => fingerprint).join('+');

/** A planned write as a reader of a table would put it. */
export const stepInWords = (step: Step | null): string => {
  if (step === null) return 'nothing';
  switch (step.kind) {
    case 'issue-ca':
      return `new CA, ${step.reason}, keep ${names(step.keep)}`;
    case 'extend-ca-bundle':
      return `bundle: keep ${names(step.keep)}`;
    case 'inject':
      return `${step.target}: ${names(step.trust)}`;
    case 'issue-leaf':
      return `new leaf, ${step.reason}`;
    case 'announce':
      return `announce ${step.announcement.hash}${step.clearsRotationRequest ? ', request fulfilled' : ''}`;
    case 'record-served':
      return step.sinceMs === null ? 'not served any more' : 'served everywhere';
    case 'record-trusted':
      return `every caBundle trusts ${step.trusted.cas.join('+')}`;
    case 'set-rotation-request':
      return step.rotate === null ? 'drop the request' : `request is ${step.rotate}`;
    case 'prune-ca-bundle':
      return `narrow: keep ${names(step.keep)}`;
    case 'copy-secret':
      return `copy ${step.source.hash ?? 'nothing'}, trust ${names(step.trust)}`;
    case 'update-secret-ca':
      return `Secret trusts ${names(step.trust)}`;
  }
};
