import { expect } from 'chai';
import { isPermanentRejection } from '../../streams/kubernetes.ts';

describe('is-refusal', () => {
  for (const status of [400, 401, 403, 404, 405, 422]) {
    it(`takes ${status} for a no that stays`, () => {
      expect(isPermanentRejection({ status })).to.equal(true);
    });
  }

  for (const status of [null, 200, 408, 409, 410, 429, 500, 503, 504]) {
    it(`expects another answer after ${status ?? 'no answer at all'}`, () => {
      expect(isPermanentRejection({ status })).to.equal(false);
    });
  }
});
