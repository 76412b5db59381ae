import { X509Certificate } from 'node:crypto';

/** One armoured block. */
interface PemBlock {
  /** What stands between `BEGIN` and the dashes, such as `CERTIFICATE` or `RSA PRIVATE KEY`. */
  readonly label: string;
  /** It carries the old `Proc-Type: 4,ENCRYPTED` header or says ENCRYPTED in its label. */
  readonly encrypted: boolean;
  /** The decoded body; DER unless encrypted. */
  readonly der: Buffer;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*$/;
const ANY_BOUNDARY = /^-----(BEGIN|END)\b/;
const HEADER = /^[A-Za-z-]+:.*$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const decode = (body: readonly string[], place: string): Buffer => {
  const base64 = body.join('').replaceAll(/[ \t]/g, '');
  if (base64 === '') throw new Error(`${place} is empty`);
  if (!BASE64.test(base64) || base64.length % 4 !== 0) throw new Error(`${place} is not whole base64`);
  return Buffer.from(base64, 'base64');
};

/**
 * Takes PEM text apart. Text around the blocks is allowed, as OpenSSL and Go allow it; a block that is cut, nested or
 * not base64 is not, since a torn file must never pass for a shorter one.
 *
 * @throws Error that tells which block, counted from 1, is malformed and how; it never repeats any of the text
 */
export const splitPem = (text: string | Uint8Array): readonly PemBlock[] => {
  const lines = (typeof text === 'string' ? text : Buffer.from(text).toString('latin1')).split(/\r\n|\n|\r/);
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; encrypted: boolean; readonly body: string[] } | null = null;

  for (const line of lines) {
    const place = `PEM block ${blocks.length + 1}`;
    if (open === null) {
      const label = BEGIN.exec(line)?.[1];
      if (label !== undefined) open = { label, encrypted: label.includes('ENCRYPTED'), body: [] };
      else if (ANY_BOUNDARY.test(line)) throw new Error(`${place} starts with a malformed boundary`);
    } else if (line.trimEnd() === `-----END ${open.label}-----`) {
      blocks.push({ label: open.label, encrypted: open.encrypted, der: decode(open.body, place) });
      open = null;
    } else if (ANY_BOUNDARY.test(line)) {
      throw new Error(`${place} does not end with the boundary it began with`);
    } else if (HEADER.test(line)) {
      if (/^Proc-Type:.*ENCRYPTED/.test(line)) open.encrypted = true;
    } else {
      open.body.push(line.trim());
    }
  }
  if (open !== null) throw new Error(`PEM block ${blocks.length + 1} is cut off`);
  return blocks;
};

/**
 * OpenSSL parses a certificate whose dates are none. It prints "Bad time value" for such a date, while the `Date` that Node
 * makes of it is whatever stood in that memory before: only the printed form tells.
 */
const isDated = ({ validFrom, validTo }: X509Certificate): boolean =>
  !Number.isNaN(Date.parse(validFrom)) && !Number.isNaN(Date.parse(validTo));

/**
 * Every certificate of a PEM text, in its order; other blocks are passed over.
 *
 * @throws Error that tells which block is malformed and never repeats any of it
 */
export const readCertificates = (pem: string | Uint8Array): readonly X509Certificate[] =>
  splitPem(pem).flatMap(({ label, der }, index) => {
    if (label !== 'CERTIFICATE') return [];
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(der);
    } catch (cause) {
      throw new Error(`PEM block ${index + 1} is not an X.509 certificate`, { cause });
    }
    if (!isDated(certificate)) throw new Error(`PEM block ${index + 1} is a certificate without readable dates`);
    return [certificate];
  });
