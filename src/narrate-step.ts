import type { Touched } from '../streams/observe-cluster.ts';
import type { Step } from '../streams/step.ts';
import { rfc3339Seconds } from './rfc3339-seconds.ts';

const MESSAGES: Readonly<Record<Step['kind'], string>> = {
  'issue-authority': 'Certificate authority issued',
  'adopt-authority': 'Trust bundle completed',
  inject: 'caBundle written',
  'issue-leaf': 'Certificate issued',
  announce: 'Certificate announced',
  'mark-served': 'Certificate served by every replica',
  'ask-rotation': 'Rotation request answered',
  'narrow-authority': 'Older certificate authorities dropped',
  'publish-trust': 'Trust bundle published',
};

const UNMARKED = 'Certificate no longer noted as served by every replica';

/** Widening comes before there is a certificate that it could be told by; narrowing ends the rotation of one. */
const narrows = ({ trust, basis }: Extract<Step, { kind: 'inject' }>): boolean =>
  basis.bundles.every((bundle) =>
    trust.every(({ fingerprint }) => bundle.some((certificate) => certificate.fingerprint === fingerprint)),
  );

const fieldsOf = (step: Step, touched: Touched | null, hash: string | null): Readonly<Record<string, unknown>> => {
  switch (step.kind) {
    case 'issue-authority':
      return { reason: step.reason, kept: step.keep.length };
    case 'adopt-authority':
      return { kept: step.keep.length };
    case 'narrow-authority':
      return { hash, kept: step.keep.length };
    case 'inject': {
      const { target, trust } = step;
      return { ...(narrows(step) ? { hash } : {}), target, certificates: trust.length };
    }
    case 'issue-leaf':
      return { hash: touched?.object === 'secret' ? touched.state.hash : null, reason: step.reason };
    case 'announce':
      return { ...step.announcement };
    case 'mark-served':
      return { hash, ...(step.sinceMs === null ? {} : { since: rfc3339Seconds(step.sinceMs) }) };
    case 'ask-rotation':
      return { rotate: step.rotate };
    case 'publish-trust':
      return { hash: step.basis.hash, certificates: step.trust.length };
  }
};

/**
 * One write of the leader as message and fields; the verb of the message tells whether it has happened.
 *
 * @param hash what is announced, which is what the end of a rotation is told by
 */
export const narrateStep = (
  step: Step,
  touched: Touched | null,
  hash: string | null = null,
): { readonly message: string; readonly fields: Readonly<Record<string, unknown>> } => ({
  message: step.kind === 'mark-served' && step.sinceMs === null ? UNMARKED : MESSAGES[step.kind],
  fields: fieldsOf(step, touched, hash),
});
