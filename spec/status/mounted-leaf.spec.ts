import { expect } from 'chai';
import { mountedLeaf } from '../../src/status/status.ts';
import { pki } from '../support/pki.ts';
import { readingOf } from '../support/reading-of.ts';

const key = Buffer.from('');

describe('the mounted leaf', () => {
  const mounting = (certificate: string | null) => {
    const asked: string[] = [];
    const files = (generation: string) => {
      asked.push(generation);
      return certificate === null ? null : { certificate: Buffer.from(certificate), key, trust: null };
    };
    return { asked, leafOf: mountedLeaf({ files }) };
  };

  it('is parsed once for each generation, on demand', async () => {
    const { certificatePem } = await pki.authority();
    const { asked, leafOf } = mounting(certificatePem);
    expect(leafOf(null)).to.equal(null);
    expect(leafOf(readingOf(null))).to.equal(null);
    expect(asked).to.deep.equal([]);
    expect(leafOf(readingOf('a'))?.serial).to.match(/^[0-9a-f]+$/);
    expect(leafOf(readingOf('a'))).to.equal(leafOf(readingOf('a')));
    leafOf(readingOf('b'));
    expect(asked).to.deep.equal(['gen-a', 'gen-b']);
  });

  it('is nothing when it is garbage, or gone by now', () => {
    for (const certificate of ['garbage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', '', null])
      expect(mounting(certificate).leafOf(readingOf('a'))).to.equal(null);
  });
});
