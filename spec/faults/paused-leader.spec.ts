import { expect } from 'chai';
import type { SpecReplica } from '../support/installation.ts';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { until } from '../support/until.ts';
import { type Faulted, faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

describe('a leader that is stopped (kill -STOP) for longer than LEASE_DURATION', function () {
  this.timeout(180_000);
  const opened = new AsyncDisposableStack();
  const replicas: SpecReplica[] = [];
  let stopped: SpecReplica | null = null;
  let api: RealApi;
  let scene: Faulted;

  before(async () => {
    api = await sharedApi();
    scene = opened.use(await faulted(api, { isCalled: (replica) => replica !== stopped }));
    replicas.push(await scene.replica(), await scene.replica());
  });
  after(() => opened.disposeAsync());
  afterEach(() => stopped?.kill('SIGCONT'));

  /** How many states each object has had that only a leader writes. */
  const states = (): readonly number[] => {
    const { secret, authority, target } = scene.objects();
    return [secret, authority, target].map(({ versions }) => versions.length);
  };

  for (const isAsked of [false, true])
    it(`writes nothing when it goes on${isAsked ? ', though a rotation was asked for before it stopped' : ''}, and follows`, async () => {
      await scene.converged();
      const late = scene.leader();
      const other = replicas.find((replica) => replica !== late)!;
      for (const replica of replicas) replica.mark();
      const before = scene.objects().leaseAnnotation('cert-hash');
      stopped = late;
      if (isAsked) await scene.installation.annotateLease({ rotate: 'leaf' });
      late.kill('SIGSTOP');
      const sinceMs = performance.now();
      await other.line('Leadership acquired', {}, 60_000);
      recovered(sinceMs, 'succeeded');
      if (!isAsked) await scene.installation.annotateLease({ rotate: 'leaf' });
      await until(() => scene.objects().leaseAnnotation('cert-hash') !== before);
      const hash = scene.objects().leaseAnnotation('cert-hash');
      await other.line(LOADED, { hash }, 30_000);
      const known = states();
      const held = scene.objects().lease.versions.length;

      late.kill('SIGCONT');
      const wokenMs = performance.now();
      await late.line('Leadership lost', {}, 30_000);
      await late.line(LOADED, { hash }, 30_000);
      stopped = null;
      await scene.converged();
      recovered(wokenMs);
      expect(states()).to.deep.equal(known);
      for (const version of scene.objects().lease.versions.slice(held))
        expect(version.word('spec', 'holderIdentity')).to.equal(other.name);
      await until(async () => (await late.probe('/status')).text.includes('"role": "candidate"'));
      scene.expectUnharmed();
    });
});
