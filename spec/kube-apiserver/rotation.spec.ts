import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { type CalledInstallation, startCalledInstallation } from '../support/called-installation.ts';
import { startRealApi } from '../support/real-api.ts';
import { rotateAll, settled } from '../support/rotate-all.ts';
import { certificatesIn } from '../support/standing-objects.ts';

const HANDLER = fileURLToPath(new URL('../support/admitting-handler.ts', import.meta.url));

describe('a rotation under three replicas, whose webhook the API server calls all the time', function () {
  this.timeout(300_000);
  let api: ApiUnderTest;
  // All at once, since most of the time is waiting.
  const stories = new Map<string, Promise<void>>();
  const told = (name: string): Promise<void> | undefined => stories.get(name);
  before(async () => {
    api = await startRealApi();
    stories.set('many', manyRotations());
    for (const what of ['leaf', 'ca'] as const) stories.set(what, slowRotation(what));
    for (const story of stories.values()) story.catch(() => undefined);
  });
  after(async () => {
    await Promise.allSettled(stories.values());
    await api[Symbol.asyncDispose]();
  });

  const setUp = (
    env: Readonly<Record<string, string>>,
    nudgeDelaysMs: readonly number[],
    pauseMs: number,
  ): Promise<CalledInstallation> =>
    startCalledInstallation(api, {
      env: { WEBHOOK_HANDLER: HANDLER, ...env },
      replicas: nudgeDelaysMs.map((nudgeDelayMs) => ({ nudgeDelayMs })),
      pauseMs,
    });

  const report = (what: string, startedMs: number, { creating, calling }: CalledInstallation): void => {
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    const shares = [...creating.admittedBy.values()].join(' + ');
    console.log(
      `      ${what} in ${seconds} s: ${creating.creates} creates, ${creating.failures.length} failed, ` +
        `admitted by ${shares} calls to the three webhooks, slowest ${Math.round(creating.slowestMs)} ms; ` +
        `${calling.calls} fresh handshakes, ${calling.failures.length} failed`,
    );
  };

  const expectNoFailure = async (setup: CalledInstallation): Promise<void> => {
    const { creating, calling } = setup;
    await creating.answered(100);
    await Promise.all([creating[Symbol.asyncDispose](), calling[Symbol.asyncDispose]()]);
    expect(creating.failures, 'failed creates').to.deep.equal([]);
    expect(calling.failures, 'failed handshakes').to.deep.equal([]);
    // The API server keeps its connections, so how many replicas it comes to know is its own affair.
    expect(creating.admittedBy.size, 'replicas that were called').to.be.at.least(2);
    expect([...creating.admittedBy.values()].reduce((sum, calls) => sum + calls, 0)).to.equal(creating.creates);
  };

  const manyRotations = async (): Promise<void> => {
    // One kubelet hears the nudge at once, one in the time of a real one, one is deaf to it.
    await using setup = await setUp({}, [20, 200, 3_600_000], 20);
    const { installation, replicas, objects } = setup;
    const round = ['leaf', 'leaf', 'leaf', 'ca', 'leaf', 'leaf', 'leaf', 'leaf', 'leaf', 'leaf', 'leaf', 'ca'] as const;
    const startedMs = performance.now();
    for (const kubeletDelayMs of [0, 3_000]) {
      for (const { kubelet } of replicas) kubelet.delayMs = kubeletDelayMs;
      for (const what of kubeletDelayMs === 0 ? round : ([...round, 'ca'] as const)) {
        await rotateAll(what, installation, objects, { replicas, withinMs: 20_000 });
        if (what === 'ca') await settled(objects, 20_000);
      }
    }
    report('20 leaf and 5 CA rotations', startedMs, setup);
    await expectNoFailure(setup);
  };

  const slowRotation = async (what: 'leaf' | 'ca'): Promise<void> => {
    await using setup = await setUp({ KUBELET_NUDGE: 'false' }, [0, 0, 0], 60);
    const { installation, replicas, objects } = setup;
    for (const { kubelet } of replicas) kubelet.delayMs = 60_000;
    const startedMs = performance.now();
    await rotateAll(what, installation, objects, { replicas, withinMs: 80_000 });
    report(`one ${what} rotation`, startedMs, setup);
    // Without acknowledgements only time tells that nobody serves under the older CA.
    if (what === 'ca') expect(certificatesIn(objects.caBundle())).to.equal(2);
    await expectNoFailure(setup);
  };

  it('fails no create over 20 leaf and 5 CA rotations with kubelet delays of 0 and 3 s', () => told('many'));
  it('fails no create over a leaf rotation with a kubelet that takes 60 s and no nudge', () => told('leaf'));
  it('fails no create over a CA rotation with a kubelet that takes 60 s and no nudge', () => told('ca'));
});
