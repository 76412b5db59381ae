import { constants } from 'node:crypto';
import { expect } from 'chai';
import { tlsOptions } from '../../src/webhook/tls.ts';

describe('tlsOptions', () => {
  const pair = { certificate: 'a certificate', key: 'its key' };

  it('names no authorities where no client certificate is asked for: Node would read all of the web', () => {
    expect(tlsOptions(pair, { tlsMinVersion: 'TLSv1.3' }))
      .to.deep.include({ ca: [] })
      .and.not.to.have.property('requestCert');
  });

  it('offers HTTP/1.1 alone, and no session to resume', () => {
    expect(tlsOptions(pair, { tlsMinVersion: 'TLSv1.3' })).to.deep.include({
      ALPNProtocols: ['http/1.1'],
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
  });

  it('asks for a client certificate of the authorities there are', () => {
    const asked = { ca: 'an authority', requestCert: true, rejectUnauthorized: true };
    expect(tlsOptions(pair, { tlsMinVersion: 'TLSv1.2', clientCa: 'an authority' })).to.deep.include(asked);
  });
});
