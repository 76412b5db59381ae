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

const fieldsOf = (step: Step, touched: Touched | null): Readonly<Record<string, unknown>> => {
  switch (step.kind) {
    case 'issue-authority':
      return { reason: step.reason, kept: step.keep.length };
    case 'adopt-authority':
    case 'narrow-authority':
      return { kept: step.keep.length };
    case 'inject':
      return { target: step.target, certificates: step.trust.length };
    case 'issue-leaf':
      return { hash: touched?.object === 'secret' ? touched.state.hash : null, reason: step.reason };
    case 'announce':
      return { ...step.announcement };
    case 'mark-served':
      return { since: step.sinceMs === null ? null : rfc3339Seconds(step.sinceMs) };
    case 'ask-rotation':
      return { rotate: step.rotate };
    case 'publish-trust':
      return { hash: step.basis.hash, certificates: step.trust.length };
  }
};

/** One write of the leader as message and fields; the verb of the message tells whether it has happened. */
export const narrateStep = (
  step: Step,
  touched: Touched | null,
): { readonly message: string; readonly fields: Readonly<Record<string, unknown>> } => ({
  message: MESSAGES[step.kind],
  fields: fieldsOf(step, touched),
});
