import { X509Certificate } from 'node:crypto';

/** One block between BEGIN and END. */
interface PemBlock {
  /** Text after `BEGIN`, such as `CERTIFICATE` or `RSA PRIVATE KEY`. */
  readonly label: string;
  /** Whether the block has the old `Proc-Type: 4,ENCRYPTED` header or ENCRYPTED in its label. */
  readonly encrypted: boolean;
  /** The decoded body; DER unless encrypted. */
  readonly der: Buffer;
  /** Position among all blocks of the text, malformed ones included, counted from 1. */
  readonly position: number;
}

interface PemScan {
  readonly blocks: readonly PemBlock[];
  /** One text a malformed block, with its position; never any of its content. */
  readonly problems: readonly string[];
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*$/;
const ANY_BOUNDARY = /^-----(BEGIN|END)\b/;
const HEADER = /^[A-Za-z-]+:.*$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const LINE_BREAK = /\r\n|\n|\r/;
/** Two blocks joined without a line break, as `cat` joins files that do not end with one. */
const JOINED = /-----(?=-----BEGIN )/g;
/** UTF-8's byte order mark, read as latin1. */
const BYTE_ORDER_MARK = 'ï»¿';
const BYTE_ORDER_MARK_BYTES = Buffer.from(BYTE_ORDER_MARK, 'latin1');

/** Removes a byte order mark, which editors on Windows put before the first block and OpenSSL trips over. */
export const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  bytes.subarray(0, 3).equals(BYTE_ORDER_MARK_BYTES) ? bytes.subarray(3) : bytes;

const linesOf = (text: string | Uint8Array): readonly string[] => {
  const whole = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  const start = [BYTE_ORDER_MARK, '\ufeff'].find((mark) => whole.startsWith(mark))?.length ?? 0;
  return whole.slice(start).replaceAll(JOINED, '-----\n').split(LINE_BREAK);
};

const decode = (body: readonly string[]): Buffer | string => {
  const base64 = body.join('').replaceAll(/[ \t]/g, '');
  if (base64 === '') return 'is empty';
  return BASE64.test(base64) && base64.length % 4 === 0 ? Buffer.from(base64, 'base64') : 'is not whole base64';
};

interface OpenBlock {
  readonly label: string;
  encrypted: boolean;
  readonly body: string[];
}

/** Finds every block of a PEM text, the malformed ones as problems. Text around the blocks is allowed. */
const scanPem = (text: string | Uint8Array): PemScan => {
  const blocks: PemBlock[] = [];
  const problems: string[] = [];
  let open = null as OpenBlock | null;
  let position = 1;
  const malformed = (how: string): void => {
    problems.push(`PEM block ${position} ${how}`);
    position += 1;
    open = null;
  };
  const begin = (line: string): void => {
    const label = BEGIN.exec(line)?.[1];
    if (label === undefined) malformed('starts with a malformed boundary');
    else open = { label, encrypted: label.includes('ENCRYPTED'), body: [] };
  };

  for (const line of linesOf(text)) {
    const isBoundary = ANY_BOUNDARY.test(line);
    if (open === null) {
      if (isBoundary) begin(line);
    } else if (line.trimEnd() === `-----END ${open.label}-----`) {
      const { label, encrypted, body } = open;
      const der = decode(body);
      if (typeof der === 'string') {
        malformed(der);
      } else {
        blocks.push({ label, encrypted, der, position });
        position += 1;
        open = null;
      }
    } else if (isBoundary) {
      malformed('does not end with the boundary it began with');
      if (BEGIN.test(line)) begin(line);
    } else if (HEADER.test(line)) {
      if (/^Proc-Type:.*ENCRYPTED/.test(line)) open.encrypted = true;
    } else {
      open.body.push(line.trim());
    }
  }
  if (open !== null) malformed('is cut off');
  return { blocks, problems };
};

/**
 * Splits PEM text into its blocks. A block that is cut, nested or not base64 fails the whole text, since a torn file must
 * never pass for a shorter one.
 *
 * @throws Error with the position of the first malformed block and what is wrong, without any of the text
 */
export const splitPem = (text: string | Uint8Array): readonly PemBlock[] => {
  const { blocks, problems } = scanPem(text);
  if (problems[0] !== undefined) throw new Error(problems[0]);
  return blocks;
};

/**
 * Whether both dates of a certificate are readable. OpenSSL parses a certificate whose dates are malformed and prints "Bad
 * time value" for them, while the `Date` that Node makes of one is uninitialised memory: only the printed form is reliable.
 */
const isDated = ({ validFrom, validTo }: X509Certificate): boolean =>
  !Number.isNaN(Date.parse(validFrom)) && !Number.isNaN(Date.parse(validTo));

const certificateOf = ({ der, position }: PemBlock): X509Certificate => {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (cause) {
    throw new Error(`PEM block ${position} is not an X.509 certificate`, { cause });
  }
  if (!isDated(certificate)) throw new Error(`PEM block ${position} is a certificate without readable dates`);
  return certificate;
};

const isCertificate = ({ label }: PemBlock): boolean => label === 'CERTIFICATE';

/**
 * Reads every certificate of a PEM text, in its order; other blocks are skipped.
 *
 * @throws Error with the position of the first malformed block, without any of the text
 */
export const readCertificates = (pem: string | Uint8Array): readonly X509Certificate[] =>
  splitPem(pem).filter(isCertificate).map(certificateOf);

export interface BundleReading {
  readonly certificates: readonly X509Certificate[];
  /** What could not be read, one text a block; never any of its content. */
  readonly problems: readonly string[];
}

/**
 * Reads what can be read of a trust bundle. One broken block must not empty the bundle: the certificates that remain are
 * the ones that callers keep trusting. Never throws.
 */
export const readBundle = (pem: string | Uint8Array): BundleReading => {
  const { blocks, problems } = scanPem(pem);
  const certificates: X509Certificate[] = [];
  const unreadable: string[] = [...problems];
  for (const block of blocks.filter(isCertificate)) {
    try {
      certificates.push(certificateOf(block));
    } catch (error) {
      unreadable.push((error as Error).message);
    }
  }
  return { certificates, problems: unreadable };
};
