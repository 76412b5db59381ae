import type { X509Certificate } from 'node:crypto';
import { chainObjection } from './chain-objection.ts';
import { fault } from './fault.ts';
import type { Fault } from './fault.ts';
import { missingNames } from './missing-names.ts';

export interface ClientView {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  /** What ca.crt holds, or why it holds nothing. */
  readonly anchors: readonly X509Certificate[] | string;
  readonly names: readonly string[];
  readonly nowMs: number;
}

/** serverAuth, anyExtendedKeyUsage. */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

const usageFaults = ({ leaf }: ClientView): readonly Fault[] => {
  // Node calls it keyUsage but lists the extended ones; none at all means any.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  const fits = usages?.some((oid) => SERVER_USAGES.includes(oid)) ?? true;
  return fits ? [] : [fault('not-for-servers', 'the extended key usage of the certificate lacks serverAuth')];
};

const nameFaults = ({ leaf, names }: ClientView): readonly Fault[] => {
  const missing = missingNames(leaf, names);
  return missing.length === 0 ? [] : [fault('missing-names', `the certificate lacks ${missing.join(', ')}`)];
};

const chainFaults = ({ leaf, intermediates, anchors, nowMs }: ClientView): readonly Fault[] => {
  if (typeof anchors === 'string') return [fault('trust-unreadable', anchors)];
  const objection = chainObjection({ leaf, intermediates, anchors }, nowMs);
  return objection === null ? [] : [fault('untrusted-chain', objection.detail, objection.retryable)];
};

/** What a client would object to although the server could serve it; most telling first. */
export const clientFaults = (view: ClientView): readonly Fault[] => [
  ...usageFaults(view),
  ...nameFaults(view),
  ...chainFaults(view),
];
