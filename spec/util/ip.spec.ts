import { isIP } from 'node:net';
import { expect } from 'chai';
import { hostOf, isIpAddress } from '../../src/util/ip.ts';

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

describe('the host of a URL', () => {
  for (const [url, host] of [
    ['https://[2001:db8::1]:8443/path', '2001:db8::1'],
    ['http://[::1]', '::1'],
    ['http://10.0.0.1:80', '10.0.0.1'],
    ['http://LOCALHOST:80', 'localhost'],
  ] as const)
    it(`${url} is ${host}, as sockets and certificates name it`, () => {
      expect(hostOf(new URL(url))).to.equal(host);
    });
});
