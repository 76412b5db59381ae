import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type SpecReplica } from '../support/installation.ts';
import type { LogLine } from '../support/running-daemon.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { scaled } from '../support/until.ts';

const ACKNOWLEDGED = 'Certificate acknowledged';
/** Longer than the answer to a nudge takes, so that its line comes before the load. */
const NUDGE_DELAY_MS = 500;

/** What the lines with the hash alone show about a rotation. */
interface Story {
  readonly issuedBy: string | undefined;
  readonly why: unknown;
  readonly announcedAt: string | undefined;
  readonly validUntil: unknown;
  readonly replicas: Readonly<Record<string, ReplicaStory>>;
  /** The end of a rotation of the CA. */
  readonly servedEverywhere: string | undefined;
  readonly droppedAt: string | undefined;
  readonly narrowed: readonly unknown[];
}

interface ReplicaStory {
  readonly sawAt: string | undefined;
  readonly had: unknown;
  readonly nudgedAt: string | undefined;
  readonly loadedAt: string | undefined;
  readonly serial: unknown;
  readonly elapsedMs: unknown;
  readonly acknowledgedAt: string | undefined;
}

interface Found {
  readonly who: string;
  readonly line: LogLine;
}

const tell = (found: readonly Found[]): Story => {
  const all = (message: string, who?: string): readonly Found[] =>
    found.filter((one) => one.line.message === message && (who === undefined || one.who === who));
  const first = (message: string, who?: string): LogLine | undefined => all(message, who)[0]?.line;
  const when = (message: string, who?: string): string | undefined =>
    first(message, who)?.['time'] as string | undefined;
  const names = [...new Set(found.map(({ who }) => who))].sort();
  return {
    issuedBy: all('Certificate issued')[0]?.who,
    why: first('Certificate issued')?.['reason'],
    announcedAt: when('Certificate announced'),
    validUntil: first('Certificate announced')?.['validUntil'],
    replicas: Object.fromEntries(
      names.map((who) => [
        who,
        {
          sawAt: when('Lease watch event received', who),
          had: first('Certificate hash mismatch, waiting for kubelet sync', who)?.['filesystemHash'],
          nudgedAt: when('Kubelet nudged', who),
          loadedAt: when('Certificate loaded and verified', who),
          serial: first('Certificate loaded and verified', who)?.['serial'],
          elapsedMs: first('Certificate loaded and verified', who)?.['elapsedMs'],
          acknowledgedAt: when(ACKNOWLEDGED, who),
        },
      ]),
    ),
    servedEverywhere: when('Certificate served by every replica'),
    droppedAt: when('Older certificate authorities dropped'),
    narrowed: all('caBundle written').map(({ line }) => line['certificates']),
  };
};

describe('one grep', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** `grep HASH *.log` over the logs as they were written, one file a Pod. */
  const grep = async (replicas: readonly SpecReplica[], hash: string): Promise<readonly Found[]> => {
    await using folder = await temporaryDirectory();
    for (const { name, lines } of replicas) {
      const log = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await writeFile(join(folder.path, `${name}.log`), log);
    }
    const files = replicas.map(({ name }) => `${name}.log`);
    const { stdout } = await promisify(execFile)('grep', ['--with-filename', hash, ...files], { cwd: folder.path });
    return stdout.split('\n').flatMap((text) => {
      const { who, json } = /^(?<who>.*?)\.log:(?<json>.*)$/.exec(text)?.groups ?? {};
      return who === undefined || json === undefined ? [] : [{ who, line: JSON.parse(json) as LogLine }];
    });
  };

  const inOrder = (...times: readonly (string | undefined)[]): void => {
    expect(times).not.to.include(undefined);
    expect(times).to.deep.equal(times.toSorted());
  };

  for (const what of ['leaf', 'ca'] as const)
    it(`for the hash tells a whole rotation of the ${what}, in every replica`, async () => {
      await using installation = await install(api, { kubeletDelayMs: scaled(5_000), env: { CA_OVERLAP: '300ms' } });
      await using leader = await installation.replica({ nudgeDelayMs: NUDGE_DELAY_MS });
      const { hash: before } = await leader.line(ACKNOWLEDGED);
      await using follower = await installation.replica({ nudgeDelayMs: NUDGE_DELAY_MS });
      await follower.line(ACKNOWLEDGED);
      // An acknowledgement patches the Pod: the kubelet must have read the Secret before the rotation, or nobody waits for it.
      await sleep(2 * NUDGE_DELAY_MS);
      for (const replica of [leader, follower]) replica.mark();
      await installation.annotateLease({ rotate: what });
      const { hash } = await follower.line(ACKNOWLEDGED);
      await leader.line(ACKNOWLEDGED);
      if (what === 'ca') await leader.line('caBundle written', { certificates: 1 });
      expect(await installation.leaseAnnotation('cert-hash')).to.equal(hash);

      const story = tell(await grep([leader, follower], String(hash)));
      const lease = await installation.leaseAnnotation('cert-valid-until');
      expect(story).to.include({ issuedBy: leader.name, why: what === 'leaf' ? 'requested' : 'other-ca' });
      expect(story.validUntil).to.equal(lease);
      expect(Object.keys(story.replicas)).to.deep.equal([leader.name, follower.name].sort());
      for (const [name, one] of Object.entries(story.replicas)) {
        inOrder(one.sawAt, one.nudgedAt, one.loadedAt, one.acknowledgedAt);
        expect(one.had, name).to.equal(before);
        expect(one.serial, name).to.match(/^[0-9a-f]+$/);
        expect(one.elapsedMs, name).to.be.above(0);
        expect(Date.parse(one.loadedAt!) - Date.parse(one.sawAt!)).to.be.closeTo(Number(one.elapsedMs), scaled(200));
      }
      const serials = Object.values(story.replicas).map(({ serial }) => serial);
      expect(new Set(serials).size).to.equal(1);

      if (what === 'leaf') return;
      // Not after the follower's own line: it gets its answer while the leader's watch delivers the acknowledgement.
      inOrder(story.replicas[follower.name]?.loadedAt, story.servedEverywhere, story.droppedAt);
      expect(story.narrowed).to.deep.equal([1]);
    });
});
