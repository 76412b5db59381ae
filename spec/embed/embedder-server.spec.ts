import { expect } from 'chai';
import type { ServablePair } from '../../src/certificates/verify-pair.ts';
import { embedderServer } from '../../src/embed/embedder-server.ts';
import { pairOf } from '../support/pair-of.ts';
import { pki, weakPair } from '../support/pki.ts';

const servable = (files: Pick<ServablePair, 'certificate' | 'key'>): ServablePair => ({
  ...pairOf('a'),
  ...files,
  trust: null,
});

describe("a server of one's own", () => {
  it('is handed what the TLS library takes, and goes on with that', async () => {
    const server = embedderServer(null, { tlsMinVersion: 'TLSv1.3' });
    const handed: unknown[] = [];
    server.secured$.subscribe(({ secureContext }) => handed.push(secureContext.cert));
    const good = await pki.pair();
    await server.serve(servable(good));
    const { certificate, key } = await weakPair();
    const refusal = await server.serve(servable({ certificate: Buffer.from(certificate), key: Buffer.from(key) })).then(
      () => null,
      (error: unknown) => error,
    );
    expect(String(refusal)).to.match(/key too small/);
    expect(handed).to.deep.equal([good.certificate]);
  });
});
