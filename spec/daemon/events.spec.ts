import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type Installation, PREFIX } from '../support/installation.ts';
import { until } from '../support/until.ts';

interface ToldEvent {
  readonly metadata: { readonly name: string };
  readonly involvedObject: Readonly<Record<string, string>>;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

const LOADED = 'Certificate loaded and verified';

describe('the Events in the cluster', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const events = async ({ namespace }: Installation): Promise<readonly ToldEvent[]> => {
    const listed = (await api.admin.get(`/api/v1/namespaces/${namespace}/events`)).at('items');
    return listed as unknown as readonly ToldEvent[];
  };
  const told = async (installation: Installation, reason: string, count = 1): Promise<ToldEvent> => {
    const found = async () => (await events(installation)).find((one) => one.reason === reason && one.count >= count);
    await until(async () => (await found()) !== undefined);
    return (await found())!;
  };

  it('tell on the Lease what is issued and announced, and on each Pod what it adopts', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    const { hash, validUntil } = await replica.line(LOADED);

    const lease = (await api.admin.get(installation.paths.lease)).at('metadata');
    const { name: leaseName, uid: leaseUid } = lease as Readonly<Record<string, string>>;
    const onLease = { kind: 'Lease', name: leaseName, namespace: installation.namespace, uid: leaseUid };
    for (const [reason, message] of [
      ['AuthorityIssued', 'Made a certificate authority (missing)'],
      ['CertificateIssued', `Issued certificate ${String(hash)} (missing)`],
      ['CertificateAnnounced', `Announced certificate ${String(hash)}, valid until ${String(validUntil)}`],
    ] as const) {
      const event = await told(installation, reason);
      expect(event).to.deep.include({ type: 'Normal', message, count: 1 });
      expect(event.involvedObject, reason).to.include(onLease);
    }

    const adopted = await told(installation, 'CertificateAdopted');
    const pod = `/api/v1/namespaces/${installation.namespace}/pods/${replica.name}`;
    const uid = (await api.admin.get(pod)).at('metadata', 'uid');
    expect(adopted.involvedObject).to.include({ kind: 'Pod', name: replica.name, uid });
    expect(adopted.message).to.equal(`Serves certificate ${String(hash)}, valid until ${String(validUntil)}`);
  });

  it('are one for each reason and object, counted, also across leaders', async () => {
    await using installation = await install(api);
    {
      await using first = await installation.replica();
      await first.line(LOADED);
      await told(installation, 'CertificateAnnounced');
      first.kill('SIGTERM');
      await first.exit;
    }
    await using second = await installation.replica();
    await second.line('Leadership acquired');
    await second.line(LOADED);
    second.mark();
    await installation.annotateLease({ rotate: 'leaf' });
    const { hash } = await second.line(LOADED);

    const announced = await told(installation, 'CertificateAnnounced', 2);
    expect(announced.message).to.include(String(hash));
    await told(installation, 'CertificateIssued', 2);
    const all = (await events(installation)).filter(({ reason }) => reason === 'CertificateAnnounced');
    expect(all).to.have.length(1);
  });

  it('tell that the older authority was dropped', async () => {
    await using installation = await install(api, { env: { CA_OVERLAP: '200ms' } });
    await using replica = await installation.replica();
    await replica.line(LOADED);
    await installation.annotateLease({ rotate: 'ca' });
    const narrowed = await told(installation, 'AuthoritiesNarrowed');
    expect(narrowed).to.deep.include({ type: 'Normal', count: 1 });
    expect((await told(installation, 'AuthorityIssued', 2)).message).to.include('(requested)');
  });

  it('warn on the Pod of a certificate that is rejected, once, however often it is tried', async () => {
    await using installation = await install(api, { env: { LEADER_ELECTION: 'false', CERT_ISSUER: 'external' } });
    const { paths } = installation;
    const garbage = Buffer.from('garbage');
    const [secret, lease] = [basename(paths.secret), basename(paths.lease)];
    const data = { 'tls.crt': garbage.toString('base64'), 'tls.key': garbage.toString('base64') };
    await api.admin.post(dirname(paths.secret), { metadata: { name: secret }, type: 'kubernetes.io/tls', data });
    const annotations = {
      [`${PREFIX}/cert-ready`]: 'true',
      [`${PREFIX}/cert-hash`]: createHash('sha256').update(garbage).digest('hex'),
      [`${PREFIX}/cert-valid-until`]: '2126-12-06T11:12:18Z',
    };
    const metadata = { name: lease, annotations };
    await api.admin.post(dirname(paths.lease), { metadata, spec: { holderIdentity: 'another-replica' } });

    await using replica = await installation.replica();
    const { reason } = await replica.line('Certificate rejected, no certificate is served yet');
    const rejected = await told(installation, 'CertificateRejected');
    expect(rejected).to.deep.include({ type: 'Warning', count: 1 });
    expect(rejected.message).to.include(String(reason));
    expect(rejected.involvedObject).to.include({ kind: 'Pod', name: replica.name });
  });

  it('are not required: without the permission there is one warning, and everything goes on', async () => {
    await using installation = await install(api, { permit: ({ resource }) => resource !== 'events' });
    await using replica = await installation.replica();
    await replica.line(LOADED);
    await replica.line('Event could not be written', { level: 'warn', status: 403 });
    await installation.annotateLease({ rotate: 'leaf' });
    replica.mark();
    await replica.line(LOADED);
    const warnings = replica.lines.filter(({ message }) => message === 'Event could not be written');
    expect(warnings).to.have.length(1);
  });
});
