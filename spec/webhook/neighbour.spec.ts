import { once } from 'node:events';
import { createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { type ServablePair, verifyPair } from '../../src/certificates/verify-pair.ts';
import type { ServingAddress } from '../../src/config/addresses.ts';
import { neighbour, type NeighbourOptions } from '../../src/webhook/neighbour.ts';
import type { NotShown } from '../../streams/model.ts';
import { freePort } from '../support/free-port.ts';
import { type MountedPair, type PairOrder, pki } from '../support/pki.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SERVER_NAME = 'svc.ns.svc';

const servable = async (order: PairOrder = {}): Promise<ServablePair> => {
  const files: MountedPair = await pki.pair(order);
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
    const workers = pairs.map(({ certificate: cert, key }) => createServer({ cert, key }));
    for (const worker of workers) {
      worker.on('secureConnection', (socket: TLSSocket) => {
        names.push(String(socket.servername));
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
    expect([proven, handshakes(), new Set(names)]).to.deep.equal([[8], 8, new Set([SERVER_NAME])]);
    expect(await prove(newer)).to.equal(null);
    expect([proven, handshakes()]).to.deep.equal([[8], 9]);
  });

  it('is dialled at a Unix socket as well', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'socket');
    const { prove } = open({ kind: 'unix', path });
    expect(notShown(await prove(newer)).detail).to.include(`unix:${path}: the socket does not exist (ENOENT) since `);
    await serve({ path }, newer);
    expect(await prove(newer)).to.equal(null);
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
    expect(first.shown).to.deep.include({ hash: older.hash, leaf: older.leaf });
  });

  it('is known by the SHA-256 of what it shows where that was never mounted here', async () => {
    const address = await tcp();
    await serve(address, older);
    expect(notShown(await open(address).prove(newer)).shown?.hash).to.equal(older.hash);
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
    const { refused, detail } = notShown(await open(address).prove(newer));
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
