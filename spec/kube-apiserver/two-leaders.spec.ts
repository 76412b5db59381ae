import { expect } from 'chai';
import { type ApiGate, startApiGate } from '../support/api-gate.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { type CallingReplicas, startCallingReplicas } from '../support/calling-replicas.ts';
import { election } from '../support/election.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { LOADED, rotateAll, settled } from '../support/rotate-all.ts';
import { certificatesIn, type StandingObjects, standingObjects } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';
import { writeInWords } from '../support/write-in-words.ts';

const HASTY = { ...election(2), CA_OVERLAP: '200ms' };

/** A write on its way to the API server, or what it was answered. */
type Sent = readonly [write: string, status: number];

describe('two leaders at once, one of them paused past its lease', function () {
  this.timeout(90_000);
  const opened = new AsyncDisposableStack();
  const gates = new Map<string, ApiGate>();
  const replicas: SpecReplica[] = [];
  let api: ApiUnderTest;
  let installation: Installation;
  let objects: StandingObjects;
  let calling: CallingReplicas;
  let paused: SpecReplica | null = null;

  before(async () => {
    api = opened.use(await startApiUnderTest());
    installation = opened.use(await install(api, { env: HASTY }));
    for (let count = 0; count < 3; count++) {
      const gate = opened.use(await startApiGate(api));
      const replica = await installation.replica({ via: gate });
      gates.set(replica.name, gate);
      replicas.push(replica);
    }
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
    objects = opened.use(await standingObjects(installation));
    await settled(objects, 15_000);
    const { serverName } = installation;
    const { caBundle } = objects;
    const endpoints = (): readonly SpecReplica[] => replicas.filter((replica) => replica !== paused);
    calling = opened.use(startCallingReplicas({ endpoints, caBundle, serverName, everyMs: 50 }));
  });
  after(() => opened.disposeAsync());
  afterEach(() => paused?.kill('SIGCONT'));

  const authorities = (): number =>
    new Set(objects.authority.versions.map((version) => version.text('data', 'ca.crt'))).size;

  const leading = (): readonly [SpecReplica, ApiGate] => {
    const leader = replicas.find(({ name }) => name === objects.holder());
    const gate = gates.get(objects.holder());
    if (leader === undefined || gate === undefined) throw new Error('nobody leads');
    return [leader, gate];
  };

  const pauseUntilSucceeded = async (leader: SpecReplica): Promise<readonly SpecReplica[]> => {
    paused = leader;
    leader.kill('SIGSTOP');
    await until(() => objects.holder() !== leader.name);
    return replicas.filter((replica) => replica !== leader);
  };

  /** Lets it go on; it must find out that it leads no more, serve what is served, and so let the rotation end. */
  const wakeUp = async (late: SpecReplica, hash: string): Promise<void> => {
    late.kill('SIGCONT');
    await late.line('Leadership lost');
    await late.line(LOADED, { hash });
    paused = null;
    await settled(objects, 15_000);
    await until(async () => (await late.probe('/readyz')).code === 200);
    expect((await late.probe('/status')).text).to.include('"role": "candidate"');
  };

  /** Every write of one daemon to what a leader writes, its renewals included, with the API server's answer. */
  const record = (gate: ApiGate): readonly Sent[] => {
    const sent: Sent[] = [];
    gate.keeper = {
      answered: (passing, status) => {
        const isLease = passing.path.includes('/leases') && passing.method === 'PATCH';
        const write = writeInWords(passing) ?? (isLease ? 'Lease: renewed' : null);
        if (write !== null) sent.push([write, status]);
      },
    };
    return sent;
  };

  it('leaves nothing of the late one: what it still writes is refused, and it serves the new certificate', async () => {
    const [late, gate] = leading();
    const [failed, known] = [calling.failures.length, authorities()];
    late.mark();
    const others = await pauseUntilSucceeded(late);
    const sent = record(gate);
    const hash = await rotateAll('ca', installation, objects, { replicas: others, withinMs: 15_000 });
    // It may still serve under the older CA: nothing is narrowed while it is silent.
    expect(certificatesIn(objects.caBundle())).to.equal(2);
    expect(objects.leaseAnnotation('cert-served-since')).to.equal(undefined);

    await wakeUp(late, hash);
    console.log(
      `      awake again it tried: ${sent.map(([write, status]) => `${write} (${status})`).join(', ') || 'nothing'}`,
    );
    expect(sent.filter(([, status]) => status !== 409)).to.deep.equal([]);
    expect(authorities() - known, 'new CAs').to.equal(1);
    expect(calling.failures.slice(failed)).to.deep.equal([]);
  });

  for (const point of ['SECRET-ca: new CA', 'target: widened', 'Secret: new leaf', 'Lease: announced'])
    it(`refuses the late one's "${point}" that was under way when it was paused`, async () => {
      const [late, gate] = leading();
      const [failed, known] = [calling.failures.length, authorities()];
      late.mark();
      const [held, free] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
      const sent = record(gate);
      const { answered } = gate.keeper;
      gate.keeper = {
        ...(answered === undefined ? {} : { answered }),
        asked: async (passing) => {
          if (writeInWords(passing) !== point) return;
          held.resolve(undefined);
          await free.promise;
        },
      };
      await installation.annotateLease({ rotate: 'ca' });
      await held.promise;
      const others = await pauseUntilSucceeded(late);
      // What was answered so far was written while it led: a renewal may pass the write that is held.
      const before = sent.length;
      const hashBefore = objects.leaseAnnotation('cert-hash');
      await until(() => objects.leaseAnnotation('rotate') === undefined);
      const hash = objects.leaseAnnotation('cert-hash') ?? '';
      expect(hash).not.to.equal(hashBefore);
      await Promise.all(others.map((replica) => replica.line(LOADED, { hash })));

      free.resolve(undefined);
      await until(() => sent.some(([write, status]) => write === point && status === 409));
      await wakeUp(late, hash);
      expect(sent.slice(before).filter(([, status]) => status !== 409)).to.deep.equal([]);
      expect(authorities() - known, 'new CAs').to.equal(1);
      expect(calling.failures.slice(failed)).to.deep.equal([]);
    });
});
