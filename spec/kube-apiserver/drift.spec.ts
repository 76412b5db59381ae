import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { contestedEvents } from '../support/contested-events.ts';
import { install, PREFIX } from '../support/installation.ts';
import { pki } from '../support/pki.ts';
import type { Json } from '../support/raw-api.ts';
import { startRival } from '../support/rival.ts';
import { LOADED, settled } from '../support/rotate-all.ts';
import { type StandingObjects, standingObjects } from '../support/standing-objects.ts';
import { scaled, until } from '../support/until.ts';
import type { Version } from '../support/watched-object.ts';

const CA_BUNDLE = ['webhooks', 0, 'clientConfig', 'caBundle'] as const;
const POINTER = '/webhooks/0/clientConfig/caBundle';

describe('what somebody else keeps changing', function () {
  this.timeout(150_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** The versions in which ours came back after anything else. */
  const repairs = ({ target }: StandingObjects, ours: string): readonly Version[] =>
    target.versions.filter(
      (version, index) =>
        version.text(...CA_BUNDLE) === ours && target.versions[index - 1]?.text(...CA_BUNDLE) !== ours && index > 0,
    );

  it('is back within 1 s: a caBundle wiped, emptied, garbled or replaced', async () => {
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
      expect(ms, what).to.be.below(scaled(1_000));
    }
    expect(repairs(objects, ours)).to.have.lengthOf(Object.keys(changes).length);
    expect(await contestedEvents(installation)).to.deep.equal([]);
  });

  it('is fought for no more than 10 times in a minute, and one Event names the otherManager: a caBundle', async () => {
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

    const foreign = Buffer.from((await pki.authority()).certificatePem).toString('base64');
    const patch = [{ op: 'add', path: POINTER, value: foreign }];
    await using rival = startRival(api.admin, paths.target, 'json', patch);
    await sleep(60_000);
    const written = repairs(objects, ours).length;
    const versions = objects.target.versions.length - before;
    const [event, ...more] = await contestedEvents(installation);
    console.log(`      ${rival.writes} writes asked of the rival, ${written} of ours, ${more.length + 1} Event`);
    expect(versions).to.be.below(2 * written + 2);
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
    await until(() => objects.holder() === follower.name);
    const succeeded = objects.lease.versions.find(
      (version) => version.word('spec', 'holderIdentity') === follower.name,
    );
    const sinceMs = performance.now();
    await until(async () => {
      const [again] = await contestedEvents(installation);
      return again?.['count'] === 2;
    });
    expect(await contestedEvents(installation)).to.have.lengthOf(1);
    const again = repairs(objects, ours).filter(
      ({ resourceVersion }) => BigInt(resourceVersion) > BigInt(succeeded?.resourceVersion ?? 0),
    );
    // One a minute once it is a fight.
    const minutes = Math.floor((performance.now() - sinceMs) / 60_000);
    expect(again.length).to.be.within(5, 6 + minutes);

    await rival[Symbol.asyncDispose]();
    await api.admin.patch('json', paths.target, [
      { op: 'replace', path: POINTER, value: Buffer.from(ours).toString('base64') },
    ]);
    await settled(objects, 15_000);
  });

  it('is fought for no more than 10 times, and one Event names the otherManager: Secrets and the announcement', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const cases = [
      { object: 'secret', path: ['data', 'tls.crt'], theirs: base64('none'), reason: 'SecretContested' },
      { object: 'authority', path: ['data', 'ca.crt'], theirs: base64('none'), reason: 'SecretContested' },
      {
        object: 'lease',
        path: ['metadata', 'annotations', `${PREFIX}/cert-hash`],
        theirs: 'f'.repeat(64),
        reason: 'AnnouncementContested',
      },
    ] as const;
    for (const { object, path, theirs, reason } of cases) {
      await using installation = await install(api, { kubeletDelayMs: 0 });
      await using leader = await installation.replica();
      await leader.line(LOADED, {}, 40_000);
      using objects = await standingObjects(installation);
      await settled(objects, 15_000);
      const { versions } = objects[object];

      const patch = path.reduceRight<Json>((value, key) => ({ [key]: value }), theirs);
      await using rival = startRival(api.admin, installation.paths[object], 'merge', patch);
      await until(async () => (await contestedEvents(installation)).length > 0);
      const repaired = (): number =>
        versions.filter((version, at) => version.word(...path) !== theirs && versions[at - 1]?.word(...path) === theirs)
          .length;
      await until(() => repaired() >= 5);
      await sleep(5_000);
      const written = repaired();
      console.log(`      ${object}: ${rival.writes} writes asked of the rival, ${written} of ours`);
      const [event, ...more] = await contestedEvents(installation);
      expect(more, object).to.deep.equal([]);
      expect(event, object).to.deep.include({ type: 'Warning', reason, count: 1 });
      expect(event?.['message'], object).to.include('"rival"');
      expect(written, object).to.be.within(5, 10);
    }
  });
});
