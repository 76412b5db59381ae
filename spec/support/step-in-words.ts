import type { CertificateFacts } from '../../streams/model.ts';
import type { Step } from '../../streams/step.ts';

const names = (certificates: readonly CertificateFacts[]): string =>
  certificates.map(({ fingerprint }) => fingerprint).join('+') || 'nothing';

/** A planned write as a reader of a table would put it. */
export const stepInWords = (step: Step | null): string => {
  switch (step?.kind) {
    case undefined:
      return 'nothing';
    case 'issue-authority':
      return `new CA, ${step.reason}, keep ${names(step.keep)}`;
    case 'adopt-authority':
      return `bundle: keep ${names(step.keep)}`;
    case 'inject':
      return `${step.target}: ${names(step.trust)}`;
    case 'issue-leaf':
      return `new leaf, ${step.reason}`;
    case 'announce':
      return `announce ${step.announcement.hash}${step.fulfils ? ', request fulfilled' : ''}`;
    case 'mark-served':
      return step.sinceMs === null ? 'not served any more' : 'served everywhere';
    case 'ask-rotation':
      return step.rotate === null ? 'drop the request' : `request is ${step.rotate}`;
    case 'narrow-authority':
      return `narrow: keep ${names(step.keep)}`;
    case 'publish-trust':
      return `Secret trusts ${names(step.trust)}`;
  }
};
