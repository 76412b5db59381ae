import { expect } from 'chai';
import type { Json } from '../support/raw-api.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

describe('api: update', () => {
  const api = useApi();

  const create = async (name: string) => {
    const created = await api.admin.post(api.leases, bodies.lease(name));
    return created.at() as { readonly metadata: Readonly<Record<string, Json>>; readonly spec: Json };
  };

  it('replaces what stood there under a higher resourceVersion', async () => {
    const lease = await create('replaced');
    const answer = await api.admin.put(`${api.leases}/replaced`, { ...lease, spec: { holderIdentity: 'b' } });
    expect(answer.status).to.equal(200);
    expect(answer.at('spec')).to.deep.equal({ holderIdentity: 'b' });
    expect(Number(answer.at('metadata', 'resourceVersion'))).to.be.above(Number(lease.metadata['resourceVersion']));
    expect(answer.at('metadata', 'uid')).to.equal(lease.metadata['uid']);
  });

  it('refuses a write decided on an older version', async () => {
    const lease = await create('raced');
    await api.admin.put(`${api.leases}/raced`, { ...lease, spec: { holderIdentity: 'b' } });
    const late = await api.admin.put(`${api.leases}/raced`, { ...lease, spec: { holderIdentity: 'c' } });
    expect(late.at()).to.deep.equal({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'Operation cannot be fulfilled on leases.coordination.k8s.io "raced": the object has been modified; ' +
        'please apply your changes to the latest version and try again',
      reason: 'Conflict',
      details: { name: 'raced', group: 'coordination.k8s.io', kind: 'leases' },
      code: 409,
    });
    expect((await api.admin.get(`${api.leases}/raced`)).at('spec', 'holderIdentity')).to.equal('b');
  });

  it('keeps the resourceVersion and tells nobody when nothing changes', async () => {
    const lease = await create('same');
    const version = lease.metadata['resourceVersion'] as string;
    using watch = await api.admin.watch(`${api.leases}?fieldSelector=metadata.name%3Dsame&resourceVersion=${version}`);
    const answer = await api.admin.put(`${api.leases}/same`, lease);
    expect(answer.at()).to.deep.equal(lease);
    const changed = await api.admin.put(`${api.leases}/same`, { ...lease, spec: { holderIdentity: 'b' } });
    const line = await watch.next();
    expect(line.object['metadata']).to.deep.equal(changed.at('metadata'));
    expect(watch.lines).to.have.length(1);
  });

  it('wants a resourceVersion for a Lease', async () => {
    await create('blind');
    const answer = await api.admin.put(`${api.leases}/blind`, bodies.lease('blind', {}));
    expect(answer.status).to.equal(422);
    // `0x0` up to 1.20 at least, `0` in 1.36.
    expect(answer.at('message')).to.match(
      /^leases\.coordination\.k8s\.io "blind" is invalid: metadata\.resourceVersion: Invalid value: 0(?:x0)?: must be specified for an update$/,
    );
  });

  it('overwrites a Secret without one', async () => {
    await api.admin.post(api.secrets, bodies.secret('blind', { data: { a: 'YQ==' } }));
    const answer = await api.admin.put(`${api.secrets}/blind`, bodies.secret('blind', { data: { b: 'Yg==' } }));
    expect(answer.status).to.equal(200);
    expect(answer.at('data')).to.deep.equal({ b: 'Yg==' });
  });

  it('creates a Lease that is not there, but no Secret', async () => {
    expect((await api.admin.put(`${api.leases}/put`, bodies.lease('put'))).status).to.equal(201);
    expect((await api.admin.put(`${api.secrets}/put`, bodies.secret('put', {}))).status).to.equal(404);
  });

  it('refuses the uid of another object', async () => {
    const lease = await create('reborn');
    const answer = await api.admin.put(`${api.leases}/reborn`, {
      ...lease,
      metadata: { ...lease.metadata, uid: 'another' },
    });
    expect(answer.status).to.equal(409);
    expect(answer.at('reason')).to.equal('Conflict');
    expect(answer.at('message')).to.match(/UID in precondition: another, UID in object meta: [0-9a-f-]{36}$/);
  });

  it('refuses another name than the path’s', async () => {
    const lease = await create('named');
    const answer = await api.admin.put(`${api.leases}/named`, { ...lease, metadata: { ...lease.metadata, name: 'x' } });
    expect(answer.status).to.equal(400);
    expect(answer.at('message')).to.equal('the name of the object (x) does not match the name on the URL (named)');
  });
});
