import { Problem } from '../../streams/problem.ts';
import type { Config } from '../config/config.ts';

type Stored = Readonly<Record<string, Buffer>>;
type Values = Readonly<Record<string, string>>;

export interface SelfSignedIssuer {
  /** Generates a CA as the values of SECRET-ca, cross-signed by the stored one if that can sign. */
  ca(stored: Stored | null, keptPem: string): Promise<Values>;
  /** Issues a leaf as the values of SECRET, with the cross-signed CA behind it while an older CA is trusted. */
  leaf(stored: Stored, trustPem: string): Promise<Values>;
}

const text = (stored: Stored | null, key: string): string => stored?.[key]?.toString('latin1') ?? '';

const storedPair = (stored: Stored | null) => ({
  certificatePem: text(stored, 'ca.crt'),
  keyPem: text(stored, 'ca.key'),
});

/** Loads the issuing code on first use: it is heavy, and only a leader that must issue needs it. */
const pki = () => import('../certificates/issue.ts');

/** Issues certificates for the planner's steps, by the wall clock. Keeps no state between calls. */
export const selfSignedIssuer = (config: Config): SelfSignedIssuer => ({
  ca: async (stored, keptPem) => {
    const { readCaPair, issueCa, crossSign } = await pki();
    const nowMs = Date.now();
    const subject = `${config.serviceName}.${config.namespace}.svc CA`;
    const issued = await issueCa({
      algorithm: config.keyAlgorithm,
      subject,
      nowMs,
      validityMs: config.caValidityMs,
    });

    const older = storedPair(stored);
    const reading = readCaPair(older);
    const canSign = reading.ok && nowMs < reading.facts.notAfterMs;
    const crossSigned = canSign ? await crossSign({ older, newer: issued, nowMs }) : null;
    return {
      'ca.crt': issued.certificatePem,
      'ca.key': issued.keyPem,
      'ca-bundle.crt': issued.certificatePem + keptPem,
      // The older CA may itself depend on one that is older still.
      'ca-bridge.crt': crossSigned === null ? '' : `${crossSigned}${text(stored, 'ca-bridge.crt')}`,
    };
  },
  leaf: async (stored, trustPem) => {
    const { issueLeaf, verifyIssued, usableCrossSigned } = await pki();
    const nowMs = Date.now();
    const authority = storedPair(stored);
    const issued = await issueLeaf({
      authority,
      names: config.serviceNames,
      algorithm: config.keyAlgorithm,
      nowMs,
      validityMs: config.certValidityMs,
    });
    const crossSigned = usableCrossSigned({ authority, crossSignedPem: text(stored, 'ca-bridge.crt'), trustPem });
    const values = { 'tls.crt': issued.certificatePem + crossSigned, 'tls.key': issued.keyPem, 'ca.crt': trustPem };
    // A leaf that its own CA does not verify would replace one that callers accept.
    const reason = verifyIssued({ chainPem: values['tls.crt'], authority, names: config.serviceNames, nowMs });
    if (reason !== null)
      throw new Problem(`the CA in SECRET-ca cannot sign for ${config.serviceNames[0] ?? ''}: ${reason}`);
    return values;
  },
});
