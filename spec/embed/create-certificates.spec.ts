import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { filter, firstValueFrom, skip } from 'rxjs';
import { type Certificates, createCertificates, type ServedCertificate } from '../../src/embed/index.ts';
import { call as webhookCall } from '../support/webhook-call.ts';
import { openPlace, type Place } from './place.ts';

const ready = ({ readiness$ }: Certificates) => firstValueFrom(readiness$.pipe(filter((now) => now.ready)));
const caOf = ({ bundle }: ServedCertificate) => bundle.map(({ pem }) => pem).join('');

describe('createCertificates', function () {
  this.timeout(60_000);
  let place: Place;
  let server: Server;
  before(async () => {
    place = await openPlace();
  });
  after(() => place[Symbol.asyncDispose]());
  beforeEach(() => {
    server = createServer((_request, response) => response.end('mine'));
  });
  afterEach(async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const call = async ({ certificate$ }: Certificates, more = {}): Promise<string> => {
    const { port } = server.address() as AddressInfo;
    const ca = caOf(await firstValueFrom(certificate$));
    return (await webhookCall({ port, ca, servername: place.serverName, ...more })).text;
  };

  it('feeds a server of its own through a rotation, and is ready once that has been shaken hands with', async () => {
    await using certificates = await createCertificates({ env: place.env, server });
    certificates.certificate$.subscribe(({ secureContext }) => {
      server.setSecureContext(secureContext);
      if (!server.listening) server.listen(0, '127.0.0.1');
    });
    await ready(certificates);
    expect(await call(certificates)).to.equal('mine');
    const before = await firstValueFrom(certificates.certificate$);
    const next = firstValueFrom(certificates.certificate$.pipe(skip(1)));
    await place.rotate('leaf');
    expect((await next).hash).not.to.equal(before.hash);
    expect(await call(certificates)).to.equal('mine');
    expect(await call(certificates, { maxVersion: 'TLSv1.2' }).catch((error: unknown) => String(error))).to.match(
      /alert/,
    );
  });

  it('is not ready while its server shows something else', async () => {
    const { certificate$, readiness$, ...certificates } = await createCertificates({ env: place.env, server });
    certificate$.subscribe(() => server.listening || server.listen(0, '127.0.0.1'));
    const { reasons } = await firstValueFrom(readiness$.pipe(filter(({ served }) => served !== null)));
    expect(reasons).to.deep.equal(['untrusted']);
    await certificates.stop();
  });

  it('hands certificates out where there is no server to shake hands with', async () => {
    await using certificates = await createCertificates({ env: place.env });
    await ready(certificates);
    const { secureContext, leaf } = await firstValueFrom(certificates.certificate$);
    expect(secureContext).to.include({ minVersion: 'TLSv1.3' }).and.to.have.property('key');
    expect(leaf.names).to.include(place.serverName);
  });

  it('leaves client certificates to the server', async () => {
    const env = { ...place.env, CLIENT_CA_FILE: '/ca.crt' };
    const problem = await createCertificates({ env }).catch((error: unknown) => String(error));
    expect(problem).to.match(/CLIENT_CA_FILE: must not be set/);
  });
});
