import { Problem } from '../../streams/problem.ts';
import { readCertificates } from '../certificates/pem.ts';
import { errnoOf } from '../util/errors.ts';
import { readCapped } from '../util/files.ts';

/** The file of CLIENT_CA_FILE: whose client certificates are good. */
interface ClientAuthority {
  /** PEM, as it was when it was last good. */
  readonly pem: Buffer;
  /** Reads the file again. What cannot be used is reported once and changes nothing. */
  look(): Promise<void>;
}

interface ClientAuthorityReports {
  readonly onChange: (pem: Buffer) => void;
  readonly onProblem: (problem: string) => void;
}

/** The request-header and client authorities of a cluster are one or two certificates. */
const LARGEST_BYTES = 256 * 1024;

const readPem = async (path: string): Promise<Buffer> => {
  const fail = (why: string) => new Problem(`CLIENT_CA_FILE ${path}: ${why}`);
  const bytes = await Promise.try(readCapped, path, LARGEST_BYTES).catch((error: unknown) => {
    throw fail(errnoOf(error));
  });
  if (bytes === 'too-large') throw fail(`has more than ${LARGEST_BYTES} bytes`);
  let certificates = 0;
  try {
    certificates = readCertificates(bytes).length;
  } catch (error) {
    throw fail((error as Error).message);
  }
  // To Node, authorities that are none mean those of the public web.
  if (certificates === 0) throw fail('holds no PEM certificate');
  return bytes;
};

/** @throws Problem naming the file and what is wrong with it */
export const openClientCa = async (
  path: string,
  { onChange, onProblem }: ClientAuthorityReports,
): Promise<ClientAuthority> => {
  let pem = await readPem(path);
  let told = '';
  const conclude = (found: Buffer): void => {
    told = '';
    if (found.equals(pem)) return;
    pem = found;
    onChange(pem);
  };
  const complain = ({ message }: Error): void => {
    if (message !== told) onProblem(message);
    told = message;
  };
  return {
    get pem() {
      return pem;
    },
    look: () => readPem(path).then(conclude, complain),
  };
};
