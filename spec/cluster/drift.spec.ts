import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startApiUnderTest } from '../support/api-under-test.ts';
import { contestedEvents } from '../support/contested-events.ts';
import { install } from '../support/installation.ts';
import { pki } from '../support/pki.ts';
import type { Json } from '../support/raw-api.ts';
import { startRival } from '../support/rival.ts';
import { LOADED, settled } from '../support/rotate-all.ts';
import { standingObjects } from '../support/standing-objects.ts';
import type { StandingObjects } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';

const CA_BUNDLE = ['webhooks', 0, 'clientConfig', 'caBundle'] as const;
const POINTER = '/webhooks/0/clientConfig/caBundle';

describe('a caBundle that somebody else changes', function () {
  this.timeout(150_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** How often ours came back after anything else. */
  const repairs = ({ target }: StandingObjects, ours: string): number =>
    target.versions.filter(
      (version, index) =>
        version.text(...CA_BUNDLE) === ours && target.versions[index - 1]?.text(...CA_BUNDLE) !== ours && index > 0,
    ).length;

  it('is back within 1 s, wiped, emptied, garbled or replaced', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    await replica.line(LOADED, {}, 40_000);
    using objects = await standingObjects(installation);
    await settled(objects, 15_000);
    const ours = objects.caBundle();
    const foreign = Buffer.from((await pki.authority()).certificatePem).toString('base64');
    const changes: Readonly<Record<string, Json>> = {
      wiped: [{ op: 'remove', path: POINTER }],
      emptied: [{ op: 'replace', path: POINTER, value: '' }],
      replaced: [{ op: 'replace', path: POINTER, value: foreign }],
      'added to': [
        {
          op: 'replace',
          path: POINTER,
          value: Buffer.from(`${ours}${(await pki.authority()).certificatePem}`).toString('base64'),
        },
      ],
    };
    for (const [what, patch] of Object.entries(changes)) {
      const answer = await api.admin.patch('json', installation.paths.target, patch);
      expect(answer.status, what).to.equal(200);
      await objects.target.caughtUp(answer.at('metadata', 'resourceVersion') as string);
      await until(() => objects.caBundle() === ours);
      const [changed, back] = objects.target.versions.slice(-2);
      const ms = Math.round((back?.atMs ?? Infinity) - (changed?.atMs ?? 0));
      console.log(`      ${what}: back ${ms} ms after the event`);
      expect(ms, what).to.be.below(1_000);
    }
    expect(repairs(objects, ours)).to.equal(Object.keys(changes).length);
    expect(await contestedEvents(installation)).to.deep.equal([]);
  });

  it('is fought for no more than 10 times in a minute, and one Event names the rival', async () => {
    await using installation = await install(api, { kubeletDelayMs: 0 });
    const { namespace, paths } = installation;
    await using leader = await installation.replica();
    await leader.line(LOADED, {}, 40_000);
    await using follower = await installation.replica();
    await follower.line(LOADED, {}, 40_000);
    using objects = await standingObjects(installation);
    await settled(objects, 15_000);
    const ours = objects.caBundle();
    const before = objects.target.versions.length;

    await using rival = startRival(api.admin, paths.target, (await pki.authority()).certificatePem);
    await sleep(60_000);
    const written = repairs(objects, ours);
    const [event, ...more] = await contestedEvents(installation);
    console.log(`      ${rival.writes} writes asked of the rival, ${written} of ours, ${more.length + 1} Event`);
    expect(objects.target.versions.length - before).to.be.below(2 * written + 2);
    expect(written).to.be.within(5, 10);
    expect(more).to.deep.equal([]);
    expect(event).to.deep.include({ type: 'Warning', reason: 'CaBundleContested', count: 1 });
    const targetName = paths.target.split('/').at(-1) ?? '';
    expect(event)
      .to.have.property('message')
      .that.includes('"rival"')
      .and.includes(`validatingwebhookconfiguration/${targetName}`);
    expect(event)
      .to.have.property('involvedObject')
      .that.deep.includes({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace,
        name: paths.lease.split('/').at(-1),
        uid: objects.lease.current.word('metadata', 'uid'),
      });

    // The next leader knows nothing of the fight, gets into it, and counts the same Event up.
    leader.kill('SIGTERM');
    await until(async () => {
      const [again] = await contestedEvents(installation);
      return again?.['count'] === 2;
    });
    expect(await contestedEvents(installation)).to.have.lengthOf(1);
    expect(repairs(objects, ours) - written).to.be.within(5, 6);

    await rival[Symbol.asyncDispose]();
    await api.admin.patch('json', paths.target, [
      { op: 'replace', path: POINTER, value: Buffer.from(ours).toString('base64') },
    ]);
    await settled(objects, 15_000);
  });
});
