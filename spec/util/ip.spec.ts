import { isIP } from 'node:net';
import { expect } from 'chai';
import { isIpAddress } from '../../src/util/ip.ts';

describe('isIpAddress', () => {
  for (const host of [
    '127.0.0.1',
    '::1',
    '2001:db8::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    'svc.ns.svc',
    'localhost',
    '*.a.b',
    '1.2.3',
    '10.0.0.1.nip.io',
  ])
    it(`says of ${host} what Node says`, () => {
      expect(isIpAddress(host)).to.equal(isIP(host) !== 0);
    });
});
