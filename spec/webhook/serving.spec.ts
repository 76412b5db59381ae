import { expect } from 'chai';
import { firstValueFrom, NEVER, of } from 'rxjs';
import type { Mount } from '../../src/certificates/mount.ts';
import type { PairFiles, ServablePair } from '../../src/certificates/verify-pair.ts';
import type { Neighbour } from '../../src/webhook/neighbour.ts';
import { loadPorts, type TlsEndpoint } from '../../src/webhook/serving.ts';
import type { Announcement, VerifiedPair, VolumeSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { parse } from '../config/parse.ts';
import { factsOf } from '../support/facts-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { type MountedPair, pki } from '../support/pki.ts';

const TRUST = Buffer.from('ca');
/** A pair as `verify` returns it; what the server is given of it is not looked at. */
const servable = (hash: string, rest: Partial<VerifiedPair> = {}) => ({ ...pairOf(hash, rest), trust: TRUST });

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly neighbour?: Neighbour | null;
  readonly serve?: () => Promise<unknown>;
  readonly handshake?: TlsEndpoint['handshake'];
  /** The files of a generation. */
  readonly files?: (generation: string) => PairFiles | null;
}

/** The ports of a mount and a server that do as they are told, and what the server was asked for. */
const connected = ({ env = {}, neighbour = null, files = () => null, ...endpoint }: Given = {}) => {
  const parsed = parse(env);
  if (!parsed.ok) throw new Error(parsed.problems.join());
  const served: ServablePair[] = [];
  const shaken: (readonly [string, Buffer | string | null])[] = [];
  let retired = 0;
  const server: TlsEndpoint = {
    serve: (pair) => (served.push(pair), endpoint.serve?.() ?? Promise.resolve()),
    handshake: (name, trust) => {
      shaken.push([name, trust]);
      return endpoint.handshake?.(name, trust) ?? Promise.resolve({ fingerprint: factsOf('leaf-a').fingerprint });
    },
    retire: () => void (retired += 1),
    drain: () => Promise.resolve(),
    address: null,
  };
  const reading = { generation: 'read' } as unknown as VolumeSnapshot;
  const mount: Mount = {
    read: () => of(reading),
    isUnmoved: () => true,
    files,
    moved$: NEVER,
    kind: () => expect.fail('asked for its kind'),
  };
  const ports = loadPorts(mount, server, neighbour, parsed.config);
  return { ports, mount, reading, served, shaken, retired: () => retired };
};

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('nothing failed'),
    (error: unknown) => error,
  );

describe('a load', () => {
  it('shakes hands with itself at once at a start, and lets callers go first after a swap', async () => {
    const pair = servable('a');
    const { ports, shaken } = connected();
    for (const [before, after] of [
      [1, 1],
      [1, 2],
    ]) {
      await firstValueFrom(ports.serve(pair));
      const verdict = firstValueFrom(ports.handshake(pair));
      expect(shaken.length).to.equal(before);
      expect(await verdict).to.equal(null);
      expect(shaken.length).to.equal(after);
    }
  });

  it('reads the mount', async () => {
    const { ports, mount, reading } = connected();
    expect(await firstValueFrom(ports.readMount())).to.equal(reading);
    expect(ports.isMountUnmoved()).to.equal(true);
    expect(ports.mountMoved$).to.equal(mount.moved$);
  });

  it('gives the server the pair, and tells in one line why it cannot be served', async () => {
    const pair = servable('a');
    const { ports, served } = connected();
    await firstValueFrom(ports.serve(pair));
    expect(served).to.deep.equal([pair]);
    const failure = (serve: () => Promise<unknown>) => reasonOf(firstValueFrom(connected({ serve }).ports.serve(pair)));
    expect(await failure(() => Promise.reject(new Error('key too small'))))
      .to.be.instanceOf(Problem)
      .with.property('message', 'cannot be served: key too small');
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    expect(await failure(() => Promise.reject('no error'))).to.equal('no error');
  });

  it('closes the connections of before when a CA is no longer trusted, and only then', async () => {
    const { ports, retired } = connected();
    const [older, newer] = [factsOf('older'), factsOf('newer')];
    for (const [bundle, times] of [
      [[older], 0],
      [[older, newer], 0],
      [[newer], 1],
      [[newer], 1],
      [[older], 2],
    ] as const) {
      await firstValueFrom(ports.serve(servable('a', { bundle })));
      expect(retired()).to.equal(times);
    }
  });

  it('keeps the connections of a pair that could not be served', async () => {
    let fails = false;
    const { ports, retired } = connected({ serve: () => (fails ? Promise.reject(new Error('x')) : Promise.resolve()) });
    await firstValueFrom(ports.serve(servable('a', { bundle: [factsOf('older')] })));
    fails = true;
    await reasonOf(firstValueFrom(ports.serve(servable('a', { bundle: [factsOf('newer')] }))));
    expect(retired()).to.equal(0);
  });
});

describe('the handshake of a load', () => {
  const shake = (given: Given) => {
    const { ports, shaken } = connected(given);
    return { result: firstValueFrom(ports.handshake(servable('a'))), shaken };
  };

  it('is made under the name that the API server calls, and verified where this program issues', async () => {
    const env = { SERVICE_NAME: 'hook', POD_NAMESPACE: 'shop' };
    const own = shake({ env });
    expect(await own.result).to.equal(null);
    expect(own.shaken).to.deep.equal([['hook.shop.svc', TRUST]]);
    const external = shake({ env: { ...env, CERT_ISSUER: 'external' } });
    expect(await external.result).to.equal(null);
    expect(external.shaken).to.deep.equal([['hook.shop.svc', null]]);
  });

  it('fails where it shows another leaf or a caller would have failed, and passes on what nobody foresaw', async () => {
    const other = shake({ handshake: () => Promise.resolve({ fingerprint: 'other' }) });
    expect(await other.result).to.equal('the handshake showed another certificate');
    const expired = shake({ handshake: () => Promise.reject(new Problem('certificate has expired')) });
    expect(await expired.result).to.equal('certificate has expired');
    const bug = shake({ handshake: () => Promise.reject(new TypeError('bug')) });
    expect(await reasonOf(bug.result)).to.be.instanceOf(TypeError);
  });

  it('is that of the neighbour where one terminates TLS', async () => {
    const asked: ServablePair[] = [];
    const prove: Neighbour['prove'] = (pair) => (asked.push(pair), Promise.resolve('refused by callers'));
    const { result, shaken } = shake({ neighbour: { prove } });
    expect(await result).to.equal('refused by callers');
    expect([asked, shaken]).to.deep.equal([[servable('a')], []]);
  });
});

describe('the verification of a load', () => {
  const NAMES = { SERVICE_NAME: 'svc', POD_NAMESPACE: 'ns' };
  const verify = ({ ports }: ReturnType<typeof connected>, hash: string, generation = 'gen'): Promise<unknown> =>
    firstValueFrom(ports.verify({ generation } as unknown as VolumeSnapshot, { hash } as unknown as Announcement));
  const given = (pair: MountedPair, env: Readonly<Record<string, string>> = {}) =>
    connected({ env: { ...NAMES, ...env }, files: () => pair });

  it('says nothing of files that are no longer at hand', async () => {
    expect(await verify(connected(), 'a')).to.equal(null);
  });

  it('returns the pair of the generation that was read', async () => {
    const good = await pki.pair();
    const asked: string[] = [];
    const load = connected({ env: NAMES, files: (generation) => (asked.push(generation), good) });
    const result = await verify(load, good.hash, 'gen-7');
    expect(asked).to.deep.equal(['gen-7']);
    expect(result).to.have.property('ok', true);
    expect(result).to.have.property('pair').that.deep.includes({ hash: good.hash, generation: 'gen-7', advice: [] });
  });

  it('tells the reason and whether the same bytes may pass later', async () => {
    const [good, early] = [await pki.pair(), await pki.notYetValid()];
    const refused = await verify(given(good), 'other');
    expect(refused).to.deep.equal({
      ok: false,
      reason: `hash-mismatch: announced other, mounted ${good.hash}`,
      retryable: false,
    });
    const waiting = await verify(given(early), early.hash);
    expect(waiting).to.include({ ok: false, retryable: true });
    expect(waiting)
      .to.have.property('reason')
      .that.matches(/^not-yet-valid: valid from /);
  });

  it('asks for the names and the chain that the issuer answers for', async () => {
    const wrong = await pki.wrongNames();
    expect(await verify(given(wrong), wrong.hash))
      .to.have.property('reason')
      .that.matches(/^missing-names: the certificate lacks svc, svc\.ns, svc\.ns\.svc, svc\.ns\.svc\.cluster\.local$/);
    const external = { CERT_ISSUER: 'external' };
    expect(await verify(given(wrong, external), wrong.hash)).to.have.property('ok', true);
    const relay = { CERT_ISSUER: 'relay', SOURCE_SECRET: 'source' };
    const good = await pki.pair();
    const withoutTrust = { ...good, trust: Buffer.alloc(0) };
    expect(await verify(given(withoutTrust), good.hash)).to.have.property('ok', false);
    expect(await verify(given(withoutTrust, relay), good.hash)).to.have.property('ok', true);
  });

  it('is not repeated for a neighbour, whose handshakes are looked at again at each tick, until the files change', async () => {
    const [good, next] = [await pki.pair(), await pki.pair()];
    let files: MountedPair = good;
    const of = (neighbour: Neighbour | null) => connected({ env: NAMES, neighbour, files: () => files });
    const beside = of({ prove: () => Promise.resolve(null) });
    const alone = of(null);
    for (const load of [beside, alone])
      expect(await verify(load, good.hash), 'the first time').to.have.property('ok', true);
    files = next;
    expect(await verify(beside, good.hash), 'the same generation').to.have.nested.property('pair.hash', good.hash);
    expect(await verify(alone, good.hash), 'without a neighbour').to.have.property('ok', false);
    expect(await verify(beside, good.hash, 'gen-2'), 'another generation').to.have.property('ok', false);
    expect(await verify(beside, next.hash), 'another hash').to.have.nested.property('pair.hash', next.hash);
  });
});
