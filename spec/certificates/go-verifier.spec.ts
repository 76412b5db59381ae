import type { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCertificates } from '../../src/certificates/pem.ts';
import { goRefusal } from '../../src/certificates/verify-chain.ts';
import { verifyPair } from '../../src/certificates/verify-pair.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { goBinary } from '../support/go-binary.ts';
import { handshakeError } from '../support/handshake-error.ts';
import { openssl } from '../support/pki.ts';
import { runTool, runToolWithInput } from '../support/run-tool.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { scaled } from '../support/until.ts';

const NAME = 'svc.ns.svc';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
const LEAF = [`subjectAltName=DNS:${NAME}`, 'extendedKeyUsage=serverAuth'];

interface Difference {
  readonly what: string;
  /** The CA that signs the leaf and is the whole bundle. */
  readonly ca?: {
    readonly key?: readonly string[];
    readonly extensions?: readonly string[];
    readonly args?: readonly string[];
  };
  readonly leaf?: {
    readonly extensions?: readonly string[];
    readonly args?: readonly string[];
    readonly subject?: string;
  };
  /** The CA is an intermediate below a root of its own; the bundle holds only the intermediate. */
  readonly partial?: true;
  /** `ok`, or what Go's error says. */
  readonly go: 'ok' | RegExp;
  /** The Go version since which that holds, 1.x; older ones may accept. */
  readonly since?: number;
  /** The answer of a TLS client that verifies with OpenSSL; null where Node 26 ends with a segmentation fault. */
  readonly openssl: 'ok' | 'refused' | null;
}

/** What Go's crypto/x509 answers, and OpenSSL for comparison: one generated certificate a line. */
const TABLE: readonly Difference[] = [
  { what: 'an ordinary CA', go: 'ok', openssl: 'ok' },
  {
    what: 'a CA with a negative serial number',
    ca: { args: ['-set_serial', '-5'] },
    go: /negative serial number|unknown authority/,
    since: 23,
    openssl: 'ok',
  },
  {
    what: 'a leaf with a negative serial number',
    leaf: { args: ['-set_serial', '-5'] },
    go: /negative serial number/,
    since: 23,
    openssl: 'ok',
  },
  { what: 'a serial number of zero', ca: { args: ['-set_serial', '0'] }, go: 'ok', openssl: 'ok' },
  {
    what: 'a CA with a critical extension that only OpenSSL handles',
    ca: { extensions: [...CA, 'inhibitAnyPolicy=critical,0'] },
    go: /unhandled critical extension/,
    openssl: 'ok',
  },
  {
    what: 'a CA with a critical extension that neither handles',
    ca: { extensions: [...CA, '1.2.3.4=critical,DER:0500'] },
    go: /unhandled critical extension/,
    openssl: 'refused',
  },
  {
    what: 'a leaf with a critical extension that neither handles',
    leaf: { extensions: [...LEAF, '1.2.3.4=critical,DER:0500'] },
    go: /unhandled critical extension/,
    openssl: 'refused',
  },
  {
    what: 'an unknown extension that is not critical',
    ca: { extensions: [...CA, '1.2.3.4=DER:0500'] },
    go: 'ok',
    openssl: 'ok',
  },
  {
    what: 'a CA whose subject key identifier is critical',
    ca: { extensions: [...CA, 'subjectKeyIdentifier=critical,hash'] },
    go: /incorrectly marked critical|unknown authority/,
    since: 24,
    openssl: 'refused',
  },
  {
    what: 'a CA constrained to other names',
    ca: { extensions: [...CA, 'nameConstraints=critical,permitted;DNS:corp.example.com'] },
    go: /not permitted by any (name )?constraint/,
    openssl: 'refused',
  },
  {
    what: 'a CA that excludes the name',
    ca: { extensions: [...CA, 'nameConstraints=critical,excluded;DNS:svc'] },
    go: /is excluded by (a name )?constraint/,
    openssl: 'refused',
  },
  {
    what: 'a CA constrained to a suffix of the name',
    ca: { extensions: [...CA, 'nameConstraints=critical,permitted;DNS:svc'] },
    go: 'ok',
    openssl: 'ok',
  },
  {
    what: 'a CA constrained to names below a suffix',
    ca: { extensions: [...CA, 'nameConstraints=critical,permitted;DNS:.ns.svc'] },
    go: 'ok',
    openssl: 'ok',
  },
  {
    what: 'a CA constrained to addresses only',
    ca: { extensions: [...CA, 'nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'] },
    go: 'ok',
    openssl: 'ok',
  },
  {
    what: 'a leaf address outside of what the CA permits',
    ca: { extensions: [...CA, 'nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'] },
    leaf: { extensions: [`subjectAltName=DNS:${NAME},IP:192.168.0.1`] },
    go: /not permitted by any (name )?constraint/,
    openssl: 'refused',
  },
  {
    what: 'a CA constrained by a directory name',
    ca: { extensions: [...CA, 'nameConstraints=critical,excluded;dirName:dir'] },
    go: /unhandled critical extension/,
    openssl: 'ok',
  },
  {
    what: 'a CA for client certificates only',
    ca: { extensions: [...CA, 'extendedKeyUsage=clientAuth'] },
    go: /incompatible key usage/,
    openssl: 'refused',
  },
  {
    what: 'a CA for any usage',
    ca: { extensions: [...CA, 'extendedKeyUsage=anyExtendedKeyUsage'] },
    go: 'ok',
    openssl: 'refused',
  },
  {
    what: 'a leaf for client certificates only',
    leaf: { extensions: [`subjectAltName=DNS:${NAME}`, 'extendedKeyUsage=clientAuth'] },
    go: /incompatible key usage/,
    openssl: 'refused',
  },
  {
    what: 'a CA without basicConstraints',
    ca: { extensions: ['keyUsage=critical,keyCertSign'] },
    go: /authority|constraint/,
    openssl: 'ok',
  },
  {
    what: 'a CA whose basicConstraints say that it is none',
    ca: { extensions: ['basicConstraints=critical,CA:FALSE'] },
    go: /authority|constraint/,
    openssl: 'refused',
  },
  {
    what: 'a CA without keyCertSign',
    ca: { extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'] },
    go: /authority|constraint/,
    openssl: 'refused',
  },
  {
    what: 'a path length of zero above a leaf',
    ca: { extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'] },
    go: 'ok',
    openssl: 'ok',
  },
  {
    what: 'a leaf signed with SHA-1',
    leaf: { args: ['-sha1'] },
    go: /insecure algorithm/,
    since: 18,
    openssl: 'refused',
  },
  {
    what: 'a leaf signed with MD5',
    ca: { key: ['-newkey', 'rsa:2048'] },
    leaf: { args: ['-md5'] },
    go: /insecure algorithm/,
    openssl: 'refused',
  },
  { what: 'a leaf signed with SHA-224', leaf: { args: ['-sha224'] }, go: /algorithm unimplemented/, openssl: 'ok' },
  { what: 'a root that signed itself with SHA-1', ca: { args: ['-sha1'] }, go: 'ok', openssl: 'ok' },
  { what: 'an RSA CA of 512 bits', ca: { key: ['-newkey', 'rsa:512'] }, go: /insecure/, since: 24, openssl: 'refused' },
  { what: 'an RSA CA of 1024 bits', ca: { key: ['-newkey', 'rsa:1024'] }, go: 'ok', openssl: 'refused' },
  {
    what: 'a CA with a key on secp256k1',
    ca: { key: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] },
    go: /unsupported elliptic curve|unknown authority/,
    openssl: null,
  },
  { what: 'a CA with an Ed25519 key', ca: { key: ['-newkey', 'ed25519'] }, go: 'ok', openssl: 'ok' },
  {
    what: 'a CA with an Ed448 key',
    ca: { key: ['-newkey', 'ed448'] },
    go: /unimplemented|unknown authority|unsupported/,
    openssl: 'ok',
  },
  {
    what: 'an RSA-PSS signature',
    ca: { key: ['-newkey', 'rsa:2048'] },
    leaf: { args: ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32'] },
    go: 'ok',
    openssl: 'ok',
  },
  {
    what: 'an RSA-PSS signature with an odd salt',
    ca: { key: ['-newkey', 'rsa:2048'] },
    leaf: { args: ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'] },
    go: /algorithm unimplemented/,
    openssl: 'ok',
  },
  { what: 'an intermediate as the only anchor', partial: true, go: 'ok', openssl: 'refused' },
  {
    what: 'a leaf that has its name in the common name only',
    leaf: { extensions: ['extendedKeyUsage=serverAuth'], subject: `/CN=${NAME}` },
    go: /legacy Common Name|not valid for any names/,
    openssl: 'ok',
  },
];

interface Generated {
  readonly chain: string;
  readonly key: string;
  readonly trust: string;
}

const generate = async (
  at: (name: string) => string,
  { ca = {}, leaf = {}, partial }: Difference,
): Promise<Generated> => {
  const extensionFile = (extensions: readonly string[]) => `${extensions.join('\n')}\n[dir]\nO=elsewhere\n`;
  const request = (key: readonly string[], subject: string, name: string) =>
    openssl('req', ...key, '-noenc', '-subj', subject, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));

  const sign = async (name: string, extensions: readonly string[], issuer: string | null, args: readonly string[]) => {
    await writeFile(at(`${name}.ext`), extensionFile(extensions));
    const signer =
      issuer === null ? ['-key', at(`${name}.key`)] : ['-CA', at(`${issuer}.crt`), '-CAkey', at(`${issuer}.key`)];
    await openssl(
      ...['x509', '-req', '-in', at(`${name}.csr`), ...signer, '-days', '2', '-extfile', at(`${name}.ext`)],
      ...['-out', at(`${name}.crt`), ...args],
    );
  };

  if (partial) {
    await request(EC, '/CN=root', 'root');
    await sign('root', CA, null, []);
  }
  await request(ca.key ?? EC, '/CN=the ca', 'ca');
  await sign('ca', ca.extensions ?? CA, partial ? 'root' : null, ca.args ?? []);
  await request(EC, leaf.subject ?? '/CN=leaf', 'leaf');
  await sign('leaf', leaf.extensions ?? LEAF, 'ca', leaf.args ?? []);
  return { chain: at('leaf.crt'), key: at('leaf.key'), trust: at('ca.crt') };
};

const ours = async ({ chain, key, trust }: Generated): Promise<string> => {
  const certificate = await readFile(chain);
  const files = { certificate, key: await readFile(key), trust: await readFile(trust) };
  const result = verifyPair(files, {
    hash: sha256Hex(certificate),
    generation: 'g',
    names: [NAME],
    nowMs: Date.now() + 1_000,
    external: false,
  });
  return result.ok ? 'ok' : `${result.reason}: ${result.detail}`;
};

describe('the verification before a swap answers as Go does', () => {
  let directory: TemporaryDirectory;
  before(async () => {
    directory = await temporaryDirectory();
  });
  after(() => directory[Symbol.asyncDispose]());

  /** By the line of the table: made once for our own verification and for Go's. */
  const made = new Map<Difference, Promise<Generated>>();
  const generatedOf = (line: Difference): Promise<Generated> => {
    const generated = made.get(line) ?? generateIn(join(directory.path, String(TABLE.indexOf(line))), line);
    made.set(line, generated);
    return generated;
  };
  const generateIn = async (folder: string, line: Difference): Promise<Generated> => {
    await mkdir(folder);
    return generate((name) => join(folder, name), line);
  };

  for (const [at, line] of TABLE.entries()) {
    it(`${line.go === 'ok' ? 'accepts' : 'refuses'} ${line.what}`, async () => {
      const generated = await generatedOf(line);
      const answer = await ours(generated);
      expect(answer === 'ok', `line ${at + 1}: ${answer}`).to.equal(line.go === 'ok');
      if (line.openssl === null) return;
      const handshake = await handshakeError({
        certificate: await readFile(generated.chain),
        key: await readFile(generated.key),
        trust: await readFile(generated.trust),
        servername: NAME,
      });
      expect(handshake === null ? 'ok' : 'refused', handshake ?? '').to.equal(line.openssl);
    });
  }

  const go = goBinary();
  // Not a pending spec elsewhere: those are forbidden, and a machine without Go has nothing to compare with.
  if (go !== null)
    it('agrees with the Go toolchain that is installed', async function () {
      this.timeout(scaled(240_000));
      const minor = Number(/go1\.(\d+)/.exec(await runTool(go, 'version'))?.[1]);
      const program = join(directory.path, 'verify');
      await runTool(go, 'build', '-o', program, new URL('./verify.go', import.meta.url).pathname);
      const cases = await Promise.all(TABLE.map(generatedOf));
      const input = cases.map(({ chain, trust }) => `${NAME} ${chain} ${trust}\n`).join('');
      const answers = await runToolWithInput(input, program, []);
      for (const [at, answer] of answers.trimEnd().split('\n').entries()) {
        const { what, go: expected, since = 0 } = TABLE[at]!;
        if (minor < since) continue;
        if (expected === 'ok') expect(answer, what).to.equal('ok');
        else expect(answer, what).to.match(expected);
      }
    });

  it('refuses the certificates of the field, and names what Go says', async () => {
    const cases = new URL('../cases/ready-but-go-refuses-the-ca/', import.meta.url);
    const read = async (name: string): Promise<X509Certificate> => {
      const [certificate] = readCertificates(await readFile(new URL(name, cases)));
      return certificate ?? expect.fail('no certificate');
    };
    expect(goRefusal(await read('negative-serial.crt'))).to.equal('x509: negative serial number');
    expect(goRefusal(await read('inhibit-any-policy.crt'))).to.equal('x509: unhandled critical extension (2.5.29.54)');
  });
});
