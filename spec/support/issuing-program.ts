import { basename, dirname } from 'node:path';
import { sha256Hex } from '../../src/util/hash.ts';
import { type MadeCa, madeCertificates } from './made-certificates.ts';
import { accepted, type RawApi } from './raw-api.ts';

/** What a renewal brings: another leaf of the same CA, one of a new CA, of a new intermediate of it, or one that signed itself. */
export type Renewal = 'leaf' | 'ca' | 'chain' | 'self-signed';

/** Texts of a Secret; undefined: the key is absent. */
export interface IssuedValues {
  readonly 'tls.crt'?: string | undefined;
  readonly 'tls.key'?: string | undefined;
  readonly 'ca.crt'?: string | undefined;
}

/** A program that issues into a Secret as cert-manager does: pair and CA change in one update, at any time. */
export interface IssuingProgram {
  /** Issues without writing. */
  issue(what: Renewal): Promise<IssuedValues>;
  /** Replaces what the Secret holds. Returns the hash of `tls.crt`. */
  write(values: IssuedValues): Promise<string>;
  renew(what: Renewal): Promise<string>;
  remove(): Promise<void>;
}

/** Issues for these names, with a CA that lasts until another one is asked for. */
export const issuerFor = (names: readonly string[]): IssuingProgram['issue'] => {
  let authority: MadeCa | null = null;
  return async (what) => {
    if (what === 'self-signed') {
      const { pem, key } = await madeCertificates.selfSigned(names);
      return { 'tls.crt': pem, 'tls.key': key, 'ca.crt': pem };
    }
    if (authority === null || what === 'ca') authority = await madeCertificates.ca();
    const signer = what === 'chain' ? await madeCertificates.intermediate(authority) : authority;
    const { pem, key } = await madeCertificates.leaf({ ca: signer, names });
    const chain = signer === authority ? pem : pem + signer.pem;
    return { 'tls.crt': chain, 'tls.key': key, 'ca.crt': authority.pem };
  };
};

/** @param path of the Secret */
export const issuingProgram = (api: RawApi, path: string, names: readonly string[]): IssuingProgram => {
  const issue = issuerFor(names);

  const write = async (values: IssuedValues): Promise<string> => {
    const encode = (text: string | undefined): string | null =>
      text === undefined ? null : Buffer.from(text).toString('base64');
    const keys = ['tls.crt', 'tls.key', 'ca.crt'] as const;
    const data = Object.fromEntries(keys.map((key) => [key, encode(values[key])]));
    const patched = await api.patch('merge', path, { data });
    if (patched.status === 404) {
      const own = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
      const annotations = { 'cert-manager.io/certificate-name': 'webhook', 'cert-manager.io/issuer-name': 'issuer' };
      const body = { metadata: { name: basename(path), annotations }, type: 'Opaque', data: own };
      await accepted(api.post(dirname(path), body));
    } else if (patched.status !== 200) throw new Error(patched.text);
    return sha256Hex(Buffer.from(values['tls.crt'] ?? ''));
  };

  return {
    issue,
    write,
    renew: async (what) => write(await issue(what)),
    remove: async () => {
      await api.delete(path);
    },
  };
};
