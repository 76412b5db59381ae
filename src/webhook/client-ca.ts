import { Problem } from '../../streams/problem.ts';
import { readCertificates } from '../certificates/pem.ts';
import { errnoOf } from '../util/errors.ts';
import { readCapped } from '../util/files.ts';

/** The file of CLIENT_CA_FILE: the CAs of accepted client certificates. */
interface ClientCa {
  /** PEM of the last valid version. */
  readonly pem: Buffer;
  /** Reads the file again. An unusable version is reported once and changes nothing. */
  read(): Promise<void>;
}

interface ClientCaReports {
  readonly onChange: (pem: Buffer) => void;
  readonly onProblem: (problem: string) => void;
}

/** The request-header and client CAs of a cluster are one or two certificates. */
const LARGEST_BYTES = 256 * 1024;

const readPem = async (path: string): Promise<Buffer> => {
  const problem = (reason: string) => new Problem(`CLIENT_CA_FILE ${path}: ${reason}`);
  const bytes = await Promise.try(readCapped, path, LARGEST_BYTES).catch((error: unknown) => {
    throw problem(errnoOf(error));
  });
  if (bytes === 'too-large') throw problem(`has more than ${LARGEST_BYTES} bytes`);
  let certificates = 0;
  try {
    certificates = readCertificates(bytes).length;
  } catch (error) {
    throw problem((error as Error).message);
  }
  // Node takes an empty list of CAs for the public root CAs.
  if (certificates === 0) throw problem('holds no PEM certificate');
  return bytes;
};

/** Opens CLIENT_CA_FILE. @throws Problem naming the file and what is wrong with it */
export const openClientCa = async (path: string, { onChange, onProblem }: ClientCaReports): Promise<ClientCa> => {
  let pem = await readPem(path);
  let reported: string | null = null;
  const accept = (found: Buffer): void => {
    reported = null;
    if (found.equals(pem)) return;
    pem = found;
    onChange(pem);
  };
  const reportOnce = ({ message }: Error): void => {
    if (message !== reported) onProblem(message);
    reported = message;
  };
  return {
    get pem() {
      return pem;
    },
    read: () => readPem(path).then(accept, reportOnce),
  };
};
