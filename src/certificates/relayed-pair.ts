import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { readBundle } from './pem.ts';
import { verifyPair } from './verify-pair.ts';

type Values = Readonly<Record<string, Buffer>>;

/** The CAs that a relayed pair is verified against: its `ca.crt`, or its leaf when that signed itself; null without any. */
const anchorsOf = ({ 'tls.crt': certificate, 'ca.crt': authorities }: Values): Buffer | null => {
  if (authorities !== undefined && authorities.length > 0) return authorities;
  const [leaf] = readBundle(certificate ?? '').certificates;
  return leaf?.checkIssued(leaf) === true && leaf.verify(leaf.publicKey) ? Buffer.from(leaf.toString()) : null;
};

/**
 * Why callers would refuse a pair that another program has issued, by the rules of F1; null when they would not. Without a
 * `ca.crt` nothing is said about its chain.
 *
 * @param names every name that callers use
 * @param nowMs default: now, moved into the time in which the leaf is valid, since its dates are judged at each decision
 * @param trust what callers trust; default: the `ca.crt` beside the pair
 */
export const relayedPairProblem = (
  values: Values,
  { notBeforeMs, notAfterMs }: Pick<CertificateInfo, 'notBeforeMs' | 'notAfterMs'>,
  names: readonly string[],
  nowMs = Math.min(Math.max(Date.now(), notBeforeMs), notAfterMs - 1),
  trust: Buffer | null = anchorsOf(values),
): string | null => {
  const certificate = values['tls.crt'] ?? Buffer.alloc(0);
  const files = { certificate, key: values['tls.key'] ?? Buffer.alloc(0), trust };
  const hash = sha256Hex(certificate);
  const rules = { hash, generation: '', names, nowMs, external: false, mayLackTrust: true };
  const result = verifyPair(files, rules);
  return result.ok ? null : `${result.reason}: ${result.detail}`;
};
