import type { Config } from '../config/config.ts';

type Stored = Readonly<Record<string, Buffer>>;
type Values = Readonly<Record<string, string>>;

export interface SelfSignedIssuer {
  /** A new CA as the values of SECRET-ca, cross-signed by the stored one if there is a usable one. */
  authority(stored: Stored | null, keptPem: string): Promise<Values>;
  /** A new leaf as the values of SECRET, with the bridge behind it while an older CA is trusted. */
  leaf(stored: Stored, trustPem: string): Promise<Values>;
}

const text = (stored: Stored | null, key: string): string => stored?.[key]?.toString('latin1') ?? '';

/** The PKI is heavy and only a leader that must issue needs it. */
const pki = () => import('../certificates/issue.ts');

/** Issues what the planner asks for. Wall clock; nothing is kept. */
export const selfSignedIssuer = (config: Config): SelfSignedIssuer => ({
  authority: async (stored, keptPem) => {
    const { readCaPair, issueCa, crossSign } = await pki();
    const nowMs = Date.now();
    const subject = `${config.serviceName}.${config.namespace}.svc CA`;
    const issued = await issueCa({
      algorithm: config.keyAlgorithm,
      subject,
      nowMs,
      validityMs: config.caValidityMs,
    });

    const older = { certificatePem: text(stored, 'ca.crt'), keyPem: text(stored, 'ca.key') };
    const reading = readCaPair(older);
    const canSign = reading.ok && nowMs < reading.facts.notAfterMs;
    const bridge = canSign ? await crossSign({ older, newer: issued, nowMs }) : null;
    return {
      'ca.crt': issued.certificatePem,
      'ca.key': issued.keyPem,
      'ca-bundle.crt': issued.certificatePem + keptPem,
      // The older CA may itself stand on a bridge to one that is older still.
      'ca-bridge.crt': bridge === null ? '' : `${bridge}${text(stored, 'ca-bridge.crt')}`,
    };
  },
  leaf: async (stored, trustPem) => {
    const { issueLeaf } = await pki();
    const authority = { certificatePem: text(stored, 'ca.crt'), keyPem: text(stored, 'ca.key') };
    const issued = await issueLeaf({
      authority,
      names: config.serviceNames,
      algorithm: config.keyAlgorithm,
      nowMs: Date.now(),
      validityMs: config.certValidityMs,
    });
    return {
      'tls.crt': issued.certificatePem + text(stored, 'ca-bridge.crt'),
      'tls.key': issued.keyPem,
      'ca.crt': trustPem,
    };
  },
});
