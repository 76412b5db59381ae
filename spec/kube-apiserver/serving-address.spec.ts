import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { type CalledInstallation, startCalledInstallation } from '../support/called-installation.ts';
import type { SpecReplica } from '../support/installation.ts';
import { type NodeNeighbour, type ReloadHabit, startNodeNeighbour } from '../support/neighbours/node-neighbour.ts';
import { startRealApi } from '../support/real-api.ts';
import { rotateAll, settled } from '../support/rotate-all.ts';
import { certificatesIn } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';

const LATE_MS = 30_000;
/** CA_OVERLAP of a called installation. */
const OVERLAP_MS = 1_000;
const ACKNOWLEDGED = 'Certificate acknowledged';
const ELSEWHERE = 'Neighbour shows another certificate';

describe('a rotation under servers that terminate TLS themselves, called by the API server all the time', function () {
  this.timeout(400_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  /** @param started gets the servers */
  const setUp = (habit: ReloadHabit, started: NodeNeighbour[] = []): Promise<CalledInstallation> =>
    startCalledInstallation(api, {
      env: {},
      // Two kubelets that hear the nudge, and one that takes its time.
      replicas: [20, 200, 1_500].map((nudgeDelayMs) => ({ nudgeDelayMs, serving: true })),
      callers: 12,
      pauseMs: 5,
      beside: async ({ webhookPort: port, directory, name }) => {
        const neighbour = await startNodeNeighbour({ port, directory, name, habit });
        started.push(neighbour);
        return neighbour;
      },
    });
  const expectNoFailure = async (what: string, startedMs: number, called: CalledInstallation): Promise<void> => {
    const { creating, calling } = called;
    await creating.answered(100);
    await Promise.all([creating[Symbol.asyncDispose](), calling[Symbol.asyncDispose]()]);
    const seconds = (performance.now() - startedMs) / 1_000;
    const [creates, rate] = [creating.creates, Math.round(creating.creates / seconds)];
    console.log(
      `      ${what} in ${seconds.toFixed(1)} s: ${creates} creates, ${rate} a second, ${creating.failures.length} failed, ` +
        `slowest ${Math.round(creating.slowestMs)} ms; ${calling.calls} fresh handshakes, ${calling.failures.length} failed`,
    );
    expect(creating.failures, 'failed creates').to.deep.equal([]);
    expect(calling.failures, 'failed handshakes').to.deep.equal([]);
  };
  const acknowledges = ({ lines }: SpecReplica, hash: string): boolean =>
    lines.some((line) => line.message === ACKNOWLEDGED && line['hash'] === hash);
  const announced = async ({ installation, objects }: CalledInstallation, what: 'leaf' | 'ca'): Promise<string> => {
    const before = objects.leaseAnnotation('cert-hash');
    await installation.annotateLease({ rotate: what });
    await until(() => objects.leaseAnnotation('cert-hash') !== before);
    return objects.leaseAnnotation('cert-hash') ?? '';
  };

  it('fails no create over 20 leaf and 5 CA rotations with servers that read the Secret when it changes', async () => {
    await using called = await setUp({ afterMs: 20 });
    const { installation, replicas, objects } = called;
    const startedMs = performance.now();
    for (let round = 0; round < 5; round += 1) {
      for (const what of ['leaf', 'leaf', 'leaf', 'leaf', 'ca'] as const) {
        await rotateAll(what, installation, objects, { replicas, withinMs: 20_000 });
        if (what === 'ca') await settled(objects, 20_000);
      }
    }
    await expectNoFailure('20 leaf and 5 CA rotations', startedMs, called);
  });

  it('fails no create over a CA rotation with servers that read it 30 s late, and keeps the older CA until then', async () => {
    const servers: NodeNeighbour[] = [];
    await using called = await setUp('asked', servers);
    const { replicas, objects } = called;
    const startedMs = performance.now();
    const hash = await announced(called, 'ca');
    await Promise.all(replicas.map((replica) => replica.line(ELSEWHERE, { hash }, 30_000)));
    // CA_OVERLAP is a second: it is the servers that are waited for, up to the last one.
    await sleep(LATE_MS);
    const [last, ...others] = servers;
    for (const server of others) server.reload();
    await until(() => replicas.filter((replica) => acknowledges(replica, hash)).length === others.length, 50_000);
    await sleep(3 * OVERLAP_MS);
    expect(certificatesIn(objects.caBundle())).to.equal(2);
    last?.reload();
    await Promise.all(replicas.map((replica) => replica.line(ACKNOWLEDGED, { hash }, 50_000)));
    await settled(objects, 20_000);
    await expectNoFailure('one CA rotation, read 30 s late,', startedMs, called);
  });

  it('fails no create over CA rotations with servers that never read it, and keeps the CA of what they show', async () => {
    await using called = await setUp('never');
    const { replicas, objects } = called;
    const startedMs = performance.now();
    const older = objects.leaseAnnotation('cert-hash');
    for (let rotation = 0; rotation < 2; rotation += 1) {
      const hash = await announced(called, 'ca');
      await Promise.all(replicas.map((replica) => replica.line(ELSEWHERE, { hash, shown: older }, 30_000)));
    }
    await sleep(5_000);
    expect(certificatesIn(objects.caBundle())).to.be.at.least(2);
    for (const replica of replicas) {
      const { code, text } = await replica.probe('/readyz');
      expect(code).to.equal(200);
      expect(text).to.include(`served-elsewhere: neighbour shows ${String(older)} since `);
    }
    await expectNoFailure('two CA rotations, never read,', startedMs, called);
  });
});
