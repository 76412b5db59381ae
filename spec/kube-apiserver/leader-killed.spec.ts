import { expect } from 'chai';
import { type ApiGate, startApiGate } from '../support/api-gate.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { type CallingReplicas, startCallingReplicas } from '../support/calling-replicas.ts';
import { election } from '../support/election.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { LOADED, settled } from '../support/rotate-all.ts';
import { ROTATION_WRITES } from '../support/rotation-writes.ts';
import { type StandingObjects, standingObjects } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';
import { writeInWords } from '../support/write-in-words.ts';

const HASTY = { ...election(2), CA_OVERLAP: '200ms' };

describe('a leader killed in the middle of a CA rotation', function () {
  this.timeout(90_000);
  const opened = new AsyncDisposableStack();
  const gates = new Map<string, ApiGate>();
  const replicas = new Map<string, SpecReplica>();
  /** Whom the callers call: everybody that is not being killed. */
  const living = new Map<string, SpecReplica>();
  let api: ApiUnderTest;
  let installation: Installation;
  let objects: StandingObjects;
  let calling: CallingReplicas;

  before(async () => {
    api = opened.use(await startApiUnderTest());
    installation = opened.use(await install(api, { env: HASTY }));
    for (let count = 0; count < 3; count++) {
      const gate = opened.use(await startApiGate(api));
      const replica = await installation.replica({ via: gate });
      gates.set(replica.name, gate);
      replicas.set(replica.name, replica);
    }
    await Promise.all([...replicas.values()].map((replica) => replica.line(LOADED, {}, 40_000)));
    for (const [name, replica] of replicas) living.set(name, replica);
    objects = opened.use(await standingObjects(installation));
    await settled(objects, 15_000);
    const { serverName } = installation;
    const { caBundle } = objects;
    const endpoints = (): readonly SpecReplica[] => [...living.values()];
    calling = opened.use(startCallingReplicas({ endpoints, caBundle, serverName, everyMs: 50 }));
  });
  after(() => opened.disposeAsync());

  const authorities = (): ReadonlySet<string> =>
    new Set(objects.authority.versions.map((version) => version.text('data', 'ca.crt')));

  /** A CA rotation from its request to its end. What happens at each write of whoever leads is for the caller to say. */
  const rotation = async (written: (write: string, leader: SpecReplica) => Promise<void> | void): Promise<void> => {
    let isOver = false;
    for (const [name, gate] of gates)
      gate.keeper = {
        answered: async (passing, status) => {
          const write = status < 300 ? writeInWords(passing) : null;
          if (write === ROTATION_WRITES.at(-1)) isOver = true;
          const leader = replicas.get(name);
          if (write !== null && leader !== undefined) await written(write, leader);
        },
      };
    const before = authorities().size;
    await installation.annotateLease({ rotate: 'ca' });
    await until(() => authorities().size > before);
    await settled(objects, 30_000);
    // Whoever watches may see the last write before its writer has the answer.
    await until(() => isOver);
    expect(authorities().size - before, 'new CAs').to.equal(1);
  };

  const expectAllServe = async (): Promise<void> => {
    const hash = objects.leaseAnnotation('cert-hash');
    for (const replica of replicas.values())
      await until(async () => {
        const { text, code } = await replica.probe('/status').catch(() => ({ text: '{}', code: 0 }));
        const { served, ready } = JSON.parse(text) as { served?: { hash?: string } | null; ready?: boolean };
        return code === 200 && served?.hash === hash && ready === true;
      });
  };

  it('has these writes to be killed after, and no other', async () => {
    const writes: string[] = [];
    await rotation((write) => void writes.push(write));
    expect(writes).to.deep.equal(ROTATION_WRITES);
    await expectAllServe();
  });

  ROTATION_WRITES.forEach((point, index) => {
    const isSucceeded = index % 2 === 0;

    it(`is ${isSucceeded ? 'succeeded by another' : 'restarted at once'} after "${point}", and the rotation ends as ever`, async () => {
      const killed = Promise.withResolvers<SpecReplica>();
      const writes: string[] = [];
      let isArmed = true;
      const before = calling.calls;
      const failedBefore = calling.failures.length;
      const startedMs = performance.now();
      const finished = rotation(async (write, leader) => {
        writes.push(write);
        if (write !== point || !isArmed) return;
        isArmed = false;
        living.delete(leader.name);
        // It never hears that its write was taken.
        leader.kill('SIGKILL');
        await leader.exit;
        killed.resolve(leader);
      });
      finished.catch(killed.reject);
      const leader = await killed.promise;
      if (isSucceeded) await until(() => objects.holder() !== leader.name);
      const again = leader.again();
      replicas.set(again.name, again);
      await again.line(LOADED, {}, 40_000);
      await finished;
      living.set(again.name, again);

      await expectAllServe();
      const ms = Math.round(performance.now() - startedMs);
      const calls = calling.calls - before;
      const failures = calling.failures.slice(failedBefore);
      console.log(
        `      ${ms} ms, ${calls} calls to the others, ${failures.length} failed, then led by ${objects.holder() === leader.name ? 'the same' : 'another'}`,
      );
      expect(failures).to.deep.equal([]);
      // Nothing that was done is done again.
      expect(writes).to.deep.equal(ROTATION_WRITES);
      if (isSucceeded) expect(objects.holder()).not.to.equal(leader.name);
    });
  });
});
