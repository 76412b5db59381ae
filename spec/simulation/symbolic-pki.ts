import type { CertificateInfo } from '../../streams/model.ts';

/** A certificate without mathematics: who signed it is written on it. */
export interface SymbolicCertificate {
  readonly facts: CertificateInfo;
  readonly key: string;
  /** The key it was signed with. */
  readonly signer: string;
  readonly isAuthority: boolean;
}

/** What a certificate can be named after. */
export interface Naming {
  readonly kind: 'ca' | 'bridge' | 'leaf';
  readonly serial: string;
  /** Null: one of its own. */
  readonly key: string | null;
  readonly signer: string | null;
}

export interface SymbolicPki {
  /** Makes a certificate known that was issued elsewhere. */
  adopt(certificate: SymbolicCertificate): void;
  /** Undefined for what is no certificate. */
  get(fingerprint: string): SymbolicCertificate | undefined;
  factsOf(fingerprints: readonly string[]): readonly CertificateInfo[];
  authority(nowMs: number, lifeMs: number): string;
  /** The newer authority, signed by the older one; it outlives neither. */
  bridge(older: string, newer: string, nowMs: number): string;
  /** A leaf that signed itself. */
  selfSigned(names: readonly string[], nowMs: number, lifeMs: number): string;
  leaf(authority: string, names: readonly string[], nowMs: number, lifeMs: number): string;
}

/** As in src/certificates/x509-fields.ts. */
const BACKDATED_MS = 3_600_000;

/** Makes certificates up, each with the next number in its name. Their dates are made as the real ones are. */
export const symbolicPki = (nameOf = ({ kind, serial }: Naming): string => `${kind}${serial}`): SymbolicPki => {
  const certificates = new Map<string, SymbolicCertificate>();

  const issue = (
    kind: Naming['kind'],
    { key, signer, isAuthority }: Partial<Omit<SymbolicCertificate, 'facts'>> & { readonly isAuthority: boolean },
    { nowMs, untilMs, names = [] }: { nowMs: number; untilMs: number; names?: readonly string[] },
  ): string => {
    const serial = String(certificates.size + 1);
    const fingerprint = nameOf({ kind, serial, key: key ?? null, signer: signer ?? null });
    const notBeforeMs = nowMs - BACKDATED_MS;
    const facts = { fingerprint, subject: `CN=${fingerprint}`, serial, notBeforeMs, names, pem: fingerprint };
    const own = key ?? fingerprint;
    certificates.set(fingerprint, {
      facts: { ...facts, notAfterMs: untilMs },
      key: own,
      signer: signer ?? own,
      isAuthority,
    });
    return fingerprint;
  };
  const get = (fingerprint: string): SymbolicCertificate => {
    const certificate = certificates.get(fingerprint);
    if (certificate === undefined) throw new Error(`${fingerprint} was never issued`);
    return certificate;
  };

  return {
    adopt: (certificate) => void certificates.set(certificate.facts.fingerprint, certificate),
    get: (fingerprint) => certificates.get(fingerprint),
    factsOf: (fingerprints) =>
      fingerprints.map((fingerprint) => certificates.get(fingerprint)?.facts).filter((facts) => facts !== undefined),
    authority: (nowMs, lifeMs) => issue('ca', { isAuthority: true }, { nowMs, untilMs: nowMs + lifeMs }),
    bridge: (older, newer, nowMs) => {
      const [above, below] = [get(older), get(newer)];
      const untilMs = Math.min(above.facts.notAfterMs, below.facts.notAfterMs);
      return issue('bridge', { key: below.key, signer: above.key, isAuthority: true }, { nowMs, untilMs });
    },
    selfSigned: (names, nowMs, lifeMs) =>
      issue('leaf', { isAuthority: false }, { nowMs, untilMs: nowMs + lifeMs, names }),
    leaf: (authority, names, nowMs, lifeMs) => {
      const above = get(authority);
      const untilMs = Math.min(nowMs + lifeMs, above.facts.notAfterMs);
      return issue('leaf', { signer: above.key, isAuthority: false }, { nowMs, untilMs, names });
    },
  };
};
