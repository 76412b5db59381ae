import { once } from 'node:events';
import { connect, createServer as createTcpServer, type Server, Socket } from 'node:net';
import { join } from 'node:path';
import tls, { createServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { type ServablePair, verifyPair } from '../../src/certificates/verify-pair.ts';
import type { ServingAddress } from '../../src/config/addresses.ts';
import { neighbour, type NeighbourOptions } from '../../src/webhook/neighbour.ts';
import type { NotShown } from '../../streams/model.ts';
import { freePort } from '../support/free-port.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { type MountedPair, type PairOrder, pki } from '../support/pki.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const SERVER_NAME = 'svc.ns.svc';

const servable = async (order: PairOrder = {}): Promise<ServablePair> => verified(await pki.pair(order));

/** A pair whose chain has an intermediate, and the same leaf without it. */
const chained = async (): Promise<{ readonly whole: ServablePair; readonly leafAlone: ServablePair }> => {
  const ca = await madeCertificates.ca();
  const intermediate = await madeCertificates.intermediate(ca);
  const leaf = await madeCertificates.leaf({ ca: intermediate, names: pki.names });
  const whole = verified(pki.mounted(leaf.pem + intermediate.pem, leaf.key, ca.pem));
  return { whole, leafAlone: { ...whole, certificate: Buffer.from(leaf.pem) } };
};

const verified = (files: MountedPair): ServablePair => {
  const { hash } = files;
  const nowMs = Date.now();
  const result = verifyPair(files, { hash, generation: `gen-${hash}`, names: pki.names, nowMs, external: false });
  if (!result.ok) throw new Error(result.detail);
  return result.pair;
};

describe('a server at SERVING_ADDRESS', () => {
  let authority: Awaited<ReturnType<typeof pki.authority>>;
  let older: ServablePair;
  let newer: ServablePair;
  before(async () => {
    authority = await pki.authority();
    older = await servable({ authority });
    newer = await servable({ authority });
  });

  const opened: Server[] = [];
  afterEach(() => {
    for (const server of opened.splice(0)) server.close();
  });
  /** A TLS server whose nth handshake shows the nth pair, and then the last one. */
  const serve = async (
    at: { readonly path: string } | { readonly port: number },
    ...pairs: readonly ServablePair[]
  ) => {
    let handshakes = 0;
    const names: string[] = [];
    const workers = pairs.map(({ certificate: cert, key }) =>
      createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }),
    );
    for (const worker of workers) {
      worker.on('secureConnection', (socket: TLSSocket) => {
        names.push(`${String(socket.servername)} by ${String(socket.alpnProtocol)}`);
        socket.on('error', () => undefined).resume();
      });
      worker.on('tlsClientError', () => undefined);
    }
    const server = createTcpServer((socket) => {
      const worker = workers[Math.min(handshakes++, workers.length - 1)];
      worker?.emit('connection', socket);
    }).listen({ ...at, host: '127.0.0.1' });
    opened.push(server);
    await once(server, 'listening');
    return { names, handshakes: () => handshakes };
  };
  const open = (address: ServingAddress, rest: Partial<NeighbourOptions> = {}) => {
    const proven: number[] = [];
    const options = { address, servername: SERVER_NAME, verifies: true, reloader: null, wallMs: Date.now };
    const { prove } = neighbour({ ...options, onProven: (_pair, handshakes) => proven.push(handshakes), ...rest });
    return { prove, proven };
  };
  const tcp = async () => ({ kind: 'tcp', host: '127.0.0.1', port: await freePort() }) as const;
  const notShown = (result: string | NotShown | null): NotShown => {
    if (result === null || typeof result === 'string') throw new Error(`concluded ${String(result)}`);
    return result;
  };

  it('shows a pair once eight handshakes in a row under the name of the Service have shown it, and then one is enough', async () => {
    const address = await tcp();
    const { names, handshakes } = await serve(address, newer);
    const { prove, proven } = open(address);
    expect(await prove(newer)).to.equal(null);
    expect([proven, handshakes(), new Set(names)]).to.deep.equal([[8], 8, new Set([`${SERVER_NAME} by h2`])]);
    expect(await prove(newer)).to.equal(null);
    expect([proven, handshakes()]).to.deep.equal([[8], 9]);
  });

  it('is dialled at a Unix socket as well', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'socket');
    const { prove } = open({ kind: 'unix', path });
    const missing = notShown(await prove(newer));
    expect(missing).to.deep.include({ kind: 'neighbour-unreachable', shown: null, refused: null });
    expect(missing.detail).to.match(/^unix:.*socket: the socket does not exist \(ENOENT\) since \d{4}[-\d]+T[:\d]+Z$/);
    await serve({ path }, newer);
    expect(await prove(newer)).to.equal(null);
  });

  it('is said to be out of reach, and why', async () => {
    for (const [code, why] of [
      ['ECONNREFUSED', 'nothing listens there (ECONNREFUSED)'],
      ['EACCES', 'no permission to connect to the socket (EACCES)'],
      ['EHOSTUNREACH', 'the reason of the system'],
    ] as const) {
      const socket = new Socket();
      const { prove } = open(await tcp());
      const replaced = replaceBuiltin(tls, { connect: () => socket });
      const result = prove(newer);
      replaced[Symbol.dispose]();
      socket.destroy(Object.assign(new Error('the reason of the system'), { code }));
      expect(notShown(await result).detail).to.include(`: ${why} since `);
    }
  });

  it('is said to show another certificate, by its hash, and since when', async () => {
    const address = await tcp();
    await serve(address, older);
    let nowMs = Date.parse('2030-01-01T00:00:00Z');
    const { prove } = open(address, { wallMs: () => nowMs, verifies: false });
    await prove(older);
    const first = notShown(await prove(newer));
    expect(first.detail).to.equal(`neighbour shows ${older.hash} since 2030-01-01T00:00:00Z`);
    nowMs += 60_000;
    expect(notShown(await prove(newer)).detail).to.equal(first.detail);
    expect(first).to.deep.include({ kind: 'served-elsewhere', refused: null });
    const { hash, leaf } = older;
    expect(first.shown).to.deep.equal({ hash, generation: '', leaf, bundle: newer.bundle, advice: [] });
  });

  it('is known by the SHA-256 of what it shows where that was never mounted here', async () => {
    const address = await tcp();
    await serve(address, older);
    expect(notShown(await open(address).prove(newer)).shown?.hash).to.equal(older.hash);
    const { whole } = await chained();
    const elsewhere = await tcp();
    await serve(elsewhere, whole);
    expect(notShown(await open(elsewhere).prove(newer)).shown?.hash, 'of a chain').to.equal(whole.hash);
  });

  describe('is known by the hash of the files', () => {
    const MOUNTED = 'of the files, however they are written';
    /** Other pairs, of which nothing but the fingerprint of the leaf and the hash is remembered. */
    const others = (count: number, name = 'other'): readonly ServablePair[] =>
      Array.from({ length: count }, (_, i) => {
        const fingerprint = `${name} ${i}`;
        return { ...newer, hash: fingerprint, leaf: { ...newer.leaf, fingerprint } };
      });
    /** What the server is said to show after these pairs were mounted here, the last of them being announced. */
    const hashAfter = async (...mounted: readonly ServablePair[]) => {
      const address = await tcp();
      await serve(address, older);
      const { prove } = open(address, { verifies: false });
      let last: string | NotShown | null = null;
      for (const pair of mounted) last = await prove(pair);
      return notShown(last).shown?.hash;
    };
    const mounted = () => ({ ...older, hash: MOUNTED });

    it('where it shows one of the last sixteen pairs that were mounted here', async () => {
      expect(await hashAfter(mounted(), newer)).to.equal(MOUNTED);
      expect(await hashAfter(mounted(), ...others(15))).to.equal(MOUNTED);
      expect(await hashAfter(mounted(), ...others(16))).to.equal(older.hash);
    });

    it('where it shows one that was mounted here again lately', async () => {
      expect(await hashAfter(mounted(), ...others(14), mounted(), ...others(2, 'later'))).to.equal(MOUNTED);
    });
  });

  it('is not verified again while it shows the same certificates under the same bundle: readiness knows when they end', async () => {
    const address = await tcp();
    await serve(address, newer);
    let nowMs = Date.now();
    const { prove } = open(address, { wallMs: () => nowMs });
    expect(await prove(newer)).to.equal(null);
    nowMs += 10 * 365 * 86_400_000;
    expect(await prove(newer)).to.equal(null);
    expect(await prove({ ...newer, trust: older.trust }), 'another bundle with the same bytes').to.equal(null);
    const another = { ...newer, trust: (await servable()).trust };
    expect(await prove(another), 'another bundle').to.match(/^expired at /);
  });

  it('is verified again where it shows the same leaf without the rest of its chain', async () => {
    const { whole, leafAlone } = await chained();
    const address = await tcp();
    await serve(address, ...Array.from({ length: 8 }, () => whole), leafAlone);
    const { prove } = open(address);
    expect(await prove(whole)).to.equal(null);
    expect(await prove(whole)).to.match(/none of the 1 certificates in ca\.crt issued/);
  });

  it('is not verified as long as no bundle is mounted', async () => {
    const address = await tcp();
    await serve(address, newer);
    const { prove } = open(address);
    const withoutTrust = { ...newer, trust: null };
    for (const pair of [withoutTrust, withoutTrust, newer, withoutTrust]) expect(await prove(pair)).to.equal(null);
  });

  it('is met by one handshake at first, and then by four at once at most', async () => {
    const address = await tcp();
    const { certificate: cert, key } = newer;
    const worker = createServer({ cert, key }, (socket) => socket.on('error', () => undefined).resume());
    let accepted: Socket[] = [];
    const server = createTcpServer((socket) => accepted.push(socket)).listen(address.port, '127.0.0.1');
    opened.push(server);
    await once(server, 'listening');
    /** All connections that were made before this call. The one that it makes itself is accepted last. */
    const madeBefore = async (): Promise<readonly Socket[]> => {
      const probe = connect(address.port, address.host);
      await once(probe, 'connect');
      const isProbe = ({ remotePort }: Socket) => remotePort === probe.localPort;
      await until(() => accepted.some(isProbe));
      const made = accepted.filter((socket) => !isProbe(socket));
      accepted = [];
      probe.destroy();
      return made;
    };
    const sizes: number[] = [];
    const proof = open(address).prove(newer);
    for (let handshakes = 0; handshakes < 8; handshakes += sizes.at(-1) ?? 0) {
      await until(() => accepted.length > 0);
      const made = await madeBefore();
      sizes.push(made.length);
      for (const socket of made) worker.emit('connection', socket);
    }
    expect(await proof).to.equal(null);
    expect(sizes).to.deep.equal([1, 4, 3]);
  });

  it('shows no pair as long as one of eight handshakes shows another one, and twice as many are required from then on', async () => {
    const address = await tcp();
    const { handshakes } = await serve(address, newer, newer, newer, newer, newer, newer, older, newer);
    const { prove, proven } = open(address);
    const { detail } = notShown(await prove(newer));
    expect(detail).to.match(new RegExp(`^neighbour shows ${older.hash} beside ${newer.hash} since `));
    expect(proven).to.deep.equal([]);
    const before = handshakes();
    expect(await prove(newer)).to.equal(null);
    expect(proven).to.deep.equal([handshakes() - before]);
    expect(proven[0]).to.be.within(12, 16);
  });

  it('is refused with the reason of a caller where it shows a certificate that callers refuse', async () => {
    const address = await tcp();
    const foreign = await servable();
    await serve(address, foreign);
    const { refused, detail, shown } = notShown(await open(address).prove(newer));
    expect(shown?.advice).to.deep.equal([refused]);
    expect(refused).to.match(/none of the 1 certificates in ca\.crt issued/);
    expect(detail).to.include('callers refuse it: ');
    expect(notShown(await open(address, { verifies: false }).prove(newer)).refused).to.equal(null);
  });

  it('is refused where it shows the announced certificate without the chain that callers need', async () => {
    const address = await tcp();
    await serve(address, newer);
    const elsewhere = { ...newer, trust: (await servable()).trust };
    expect(await open(address).prove(elsewhere)).to.match(/none of the 1 certificates in ca\.crt issued/);
  });

  it('shows no certificate where it speaks another protocol, or hangs up', async () => {
    const address = await tcp();
    const server = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n'));
    opened.push(server.listen(address.port, '127.0.0.1'));
    await once(server, 'listening');
    const result = notShown(await open(address).prove(newer));
    expect(result).to.deep.include({ kind: 'neighbour-shows-no-certificate', shown: null, refused: null });
    expect(result.detail).to.match(/^127\.0\.0\.1:\d+: .+ since \d{4}/);
  });

  it('is asked to read its certificate where it shows another one, and that this failed is said', async () => {
    const address = await tcp();
    await serve(address, older, newer);
    const asked: string[] = [];
    const ask = (generation: string) => Promise.resolve(asked.push(generation) > 1 ? null : 'no such process');
    const { prove } = open(address, { reloader: { ask } });
    expect(notShown(await prove(newer)).detail).to.match(/; RELOAD failed: no such process$/);
    expect(asked).to.deep.equal([newer.generation]);
    expect(await prove(newer)).to.equal(null);
    expect(asked).to.have.length(1);
    const { prove: proveElsewhere } = open(await tcp(), { reloader: { ask } });
    await proveElsewhere(newer);
    expect(asked, 'asked where nothing listens').to.have.length(1);
  });
});
