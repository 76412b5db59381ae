import { createHash, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { readBundle } from '../certificates/pem.ts';
import { type Fault, presentedFaults } from '../certificates/verify-pair.ts';
import { type Hook, serverName } from './cluster-hooks.ts';

/** The certificates that the API server verifies a hook by. */
export interface Trust {
  readonly anchors: readonly X509Certificate[];
  /** What could not be read of the caBundle. */
  readonly problems: readonly string[];
  /** Whether the public CAs of the API server's host take the place of an empty caBundle. */
  readonly isPublic: boolean;
}

/** What the API server says of one certificate chain, now and later. */
export interface Verification {
  /** Why it refuses it now; the first is what it reports. Empty when it accepts. */
  readonly faults: readonly Fault[];
  /** When it stops to accept it although nothing changes, and whose end that is. Null when it refuses it now. */
  readonly end: { readonly atMs: number; readonly certificate: X509Certificate; readonly isLeaf: boolean } | null;
}

/** The roots that Node brings along stand in for those of the API server's host. */
const publicAnchors = (): readonly X509Certificate[] => rootCertificates.map((pem) => new X509Certificate(pem));

const endOf = ({ validToDate }: X509Certificate): number => validToDate.getTime();

/** Whether a certificate may end a path of the chain: names alone decide, since a wrong guess only costs time. */
const mayMatter = (anchor: X509Certificate, chain: readonly X509Certificate[]): boolean =>
  chain.some((each) => each.issuer === anchor.subject);

const verify = (
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  name: string,
  nowMs: number,
): Verification => {
  const faults = presentedFaults(chain, anchors, name, nowMs);
  const [leaf] = chain;
  if (leaf === undefined || faults.length > 0) return { faults, end: null };
  const ends = [...chain, ...anchors.filter((anchor) => mayMatter(anchor, chain))]
    .filter((each) => nowMs < endOf(each))
    .sort((left, right) => endOf(left) - endOf(right));
  // A path may exist over another CA: that one certificate ends need not matter.
  const certificate = ends.find((each) => presentedFaults(chain, anchors, name, endOf(each)).length > 0) ?? leaf;
  return { faults, end: { atMs: endOf(certificate), certificate, isLeaf: certificate === leaf } };
};

export interface Verifier {
  readonly trustOf: (hook: Hook) => Trust;
  readonly verify: (hook: Hook, chain: readonly X509Certificate[]) => Verification;
}

/** Verifies as kube-apiserver does. Many hooks share a bundle and a server: each combination is verified once. */
export const createVerifier = (nowMs: number): Verifier => {
  const trusts = new Map<string, Trust>();
  const verifications = new Map<string, Verification>();
  const keyOf = ({ caBundle }: Hook): string =>
    caBundle === null ? '' : createHash('sha256').update(caBundle).digest('hex');

  const trustOf = (hook: Hook): Trust => {
    const key = keyOf(hook);
    const known = trusts.get(key);
    if (known !== undefined) return known;
    const trust =
      hook.caBundle === null
        ? { anchors: publicAnchors(), problems: [], isPublic: true }
        : (({ certificates, problems }) => ({ anchors: certificates, problems, isPublic: false }))(
            readBundle(hook.caBundle),
          );
    trusts.set(key, trust);
    return trust;
  };

  return {
    trustOf,
    verify: (hook, chain) => {
      const name = serverName(hook);
      const key = JSON.stringify([keyOf(hook), name, ...chain.map(({ fingerprint256 }) => fingerprint256)]);
      const known = verifications.get(key);
      if (known !== undefined) return known;
      const verification = verify(chain, trustOf(hook).anchors, name, nowMs);
      verifications.set(key, verification);
      return verification;
    },
  };
};
