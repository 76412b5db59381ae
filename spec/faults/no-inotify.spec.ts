import { expect } from 'chai';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

const TOLD = 'Directory watch is not available, polling';

/** In a user namespace of its own the limit is its own, too: nobody else on the machine loses a watch. */
const without = (limit: string): readonly string[] => [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  `echo 0 > /proc/sys/user/${limit} && exec "$@"`,
  'sh',
];

describe('no inotify', function () {
  this.timeout(180_000);
  let api: RealApi;
  before(async () => {
    api = await sharedApi();
  });

  for (const [limit, errno] of [
    ['max_inotify_watches', 'ENOSPC'],
    ['max_inotify_instances', 'EMFILE'],
  ] as const)
    it(`(${limit} = 0) costs a tick: everything works at its pace, and it is told once`, async () => {
      await using scene = await faulted(api, { env: { TICK_INTERVAL: '1s' } });
      const replica = await scene.replica({ within: without(limit) });
      const { kind, detail } = await replica.line(TOLD);
      expect({ kind, detail: String(detail).slice(0, errno.length) }).to.deep.equal({
        kind: 'watches-exhausted',
        detail: errno,
      });
      for (let count = 0; count < 3; count++) {
        const sinceMs = performance.now();
        const hash = await scene.announced();
        const { elapsedMs } = await replica.line(LOADED, { hash }, 60_000);
        recovered(sinceMs, 'rotated');
        expect(elapsedMs).to.be.below(20_000);
      }
      await scene.converged();
      expect(replica.count(TOLD)).to.equal(1);
      scene.expectUnharmed();
    });
});
