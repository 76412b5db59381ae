import { expect } from 'chai';
import { fuzzed } from './fuzzed.ts';

/** Few, since `npm run fuzz` tries as many as one likes; the same each time, since a spec that fails must fail again. */
const order = { numRuns: 300, seed: 20_261_125 };

for (const [what, laws] of Object.entries(fuzzed)) {
  describe(what, function () {
    this.timeout(60_000);
    for (const { law, oneIn, check } of laws) {
      it(law, async () => {
        expect((await check({ ...order, numRuns: Math.ceil(order.numRuns / oneIn) })).broken).to.equal(null);
      });
    }
  });
}
