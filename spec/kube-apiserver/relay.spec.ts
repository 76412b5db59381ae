import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { type CalledInstallation, startCalledInstallation } from '../support/called-installation.ts';
import { type IssuingProgram, issuingProgram, type Renewal } from '../support/issuing-program.ts';
import { startNodeNeighbour } from '../support/neighbours/node-neighbour.ts';
import { startRealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { certificatesIn } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';

const HANDLER = fileURLToPath(new URL('../support/admitting-handler.ts', import.meta.url));
const SOURCE = 'issued';
const RELAY = { CERT_ISSUER: 'relay', SOURCE_SECRET: SOURCE };
const DIRECT = { CERT_ISSUER: 'external' };

/** 20 renewals as cert-manager writes them, half of them with another CA: a new one, or a leaf that signed itself. */
const ROUND: readonly Renewal[] = ['leaf', 'ca', 'chain', 'self-signed', 'ca', 'leaf', 'ca', 'chain', 'ca', 'leaf'];
const RENEWALS = [...ROUND, ...ROUND];

interface Scene {
  readonly called: CalledInstallation;
  readonly program: IssuingProgram;
}

describe('a webhook whose certificates another program issues, called by the API server all the time,', function () {
  this.timeout(600_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  const setUp = async (env: Readonly<Record<string, string>>, serving: boolean): Promise<Scene & AsyncDisposable> => {
    const programs: IssuingProgram[] = [];
    const called = await startCalledInstallation(api, {
      env: { ...(serving ? {} : { WEBHOOK_HANDLER: HANDLER }), ...env },
      // Two kubelets that hear the nudge, and one that takes its time.
      replicas: [20, 200, 1_500].map((nudgeDelayMs) => ({ nudgeDelayMs, serving })),
      callers: 6,
      pauseMs: 10,
      prepare: async ({ paths, serverName }) => {
        const secret = env['SOURCE_SECRET'] ?? basename(paths.secret);
        const program = issuingProgram(api.admin, `${dirname(paths.secret)}/${secret}`, [serverName, 'localhost']);
        programs.push(program);
        await program.renew('ca');
      },
      ...(serving
        ? {
            beside: ({ webhookPort: port, directory, name }) =>
              startNodeNeighbour({ port, directory, name, habit: { afterMs: 0 }, closes: true }),
          }
        : {}),
    });
    const [program] = programs;
    if (program === undefined) throw new Error('nothing was issued');
    return { called, program, [Symbol.asyncDispose]: () => called[Symbol.asyncDispose]() };
  };

  const renew = async (
    { called: { replicas, objects }, program }: Scene,
    what: Renewal,
    { withinMs = 40_000, narrows = true } = {},
  ): Promise<void> => {
    const hash = await program.renew(what);
    await Promise.all(replicas.map((replica) => replica.line(LOADED, { hash }, withinMs)));
    if (narrows) await until(() => certificatesIn(objects.caBundle()) === 1, 40_000);
  };

  const ended = async (what: string, startedMs: number, { called: { creating, calling } }: Scene) => {
    await creating.answered(100);
    await Promise.all([creating[Symbol.asyncDispose](), calling[Symbol.asyncDispose]()]);
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    console.log(
      `      ${what} in ${seconds} s: ${creating.creates} creates, ${creating.failures.length} failed, ` +
        `slowest ${Math.round(creating.slowestMs)} ms; ${calling.calls} fresh handshakes, ${calling.failures.length} failed`,
    );
    return { creates: creating.failures, handshakes: calling.failures };
  };
  const NONE = { creates: [], handshakes: [] };

  it('sees no create fail over 20 renewals that are relayed, with kubelet delays of 0 and 3 s', async () => {
    await using scene = await setUp(RELAY, false);
    const startedMs = performance.now();
    for (const [at, what] of RENEWALS.entries()) {
      if (at === ROUND.length) for (const { kubelet } of scene.called.replicas) kubelet.delayMs = 3_000;
      await renew(scene, what);
    }
    expect(await ended('20 renewals, relayed,', startedMs, scene)).to.deep.equal(NONE);
  });

  it('sees no create fail over a new CA that is relayed, with a kubelet that takes 60 s and no nudge', async () => {
    await using scene = await setUp({ ...RELAY, KUBELET_NUDGE: 'false' }, false);
    for (const { kubelet } of scene.called.replicas) kubelet.delayMs = 60_000;
    const startedMs = performance.now();
    await renew(scene, 'ca', { withinMs: 100_000, narrows: false });
    expect(await ended('one renewal, delivered after 60 s,', startedMs, scene)).to.deep.equal(NONE);
  });

  /** A new CA from the program just when no leader lives. Another is elected, and the old one comes back. */
  const renewWithoutLeader = async (scene: Scene): Promise<void> => {
    const { replicas, objects } = scene.called;
    const leader = replicas.find(({ name }) => name === objects.holder());
    if (leader === undefined) throw new Error('nobody leads');
    leader.kill('SIGKILL');
    await leader.exit;
    const hash = await scene.program.renew('ca');
    await Promise.all(
      replicas.filter((each) => each !== leader).map((replica) => replica.line(LOADED, { hash }, 60_000)),
    );
    await leader.again().line(LOADED, { hash }, 40_000);
    await until(() => certificatesIn(objects.caBundle()) === 1, 40_000);
  };

  it('sees no create fail over 20 renewals that are relayed to servers that terminate TLS themselves, and one while no leader lives', async () => {
    await using scene = await setUp(RELAY, true);
    const startedMs = performance.now();
    for (const what of RENEWALS) await renew(scene, what);
    await renewWithoutLeader(scene);
    expect(await ended('21 renewals, relayed to other servers,', startedMs, scene)).to.deep.equal(NONE);
  });

  it('sees creates fail over the same renewals where those servers mount the Secret of the program', async () => {
    await using scene = await setUp(DIRECT, true);
    const startedMs = performance.now();
    for (const what of RENEWALS) await renew(scene, what);
    await renewWithoutLeader(scene);
    const { creates, handshakes } = await ended('21 renewals, mounted directly,', startedMs, scene);
    expect(creates).to.not.be.empty;
    expect(handshakes).to.not.be.empty;
  });
});
