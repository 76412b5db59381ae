import { expect } from 'chai';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

describe('api: create', () => {
  const api = useApi();

  it('gives a new object its uid, its resourceVersion and the time', async () => {
    const created = await api.admin.post(api.leases, bodies.lease('new'));
    expect(created.status).to.equal(201);
    expect(created.at('kind')).to.equal('Lease');
    expect(created.at('metadata', 'uid')).to.match(/^[0-9a-f-]{36}$/);
    expect(created.at('metadata', 'resourceVersion')).to.match(/^\d+$/);
    expect(created.at('metadata', 'creationTimestamp')).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect((await api.admin.get(`${api.leases}/new`)).at()).to.deep.equal(created.at());
  });

  it('tells the date of every answer', async () => {
    const askedMs = Date.now();
    const { headers } = await api.admin.get(`${api.leases}/new`);
    // It has no fractions of a second.
    expect(Date.parse(headers.date ?? '')).to.be.within(askedMs - 1_000, Date.now());
  });

  it('raises one resourceVersion over all kinds', async () => {
    const lease = await api.admin.post(api.leases, bodies.lease('first'));
    const secret = await api.admin.post(api.secrets, bodies.secret('second', {}));
    const [first, second] = [lease, secret].map((answer) => Number(answer.at('metadata', 'resourceVersion')));
    expect(second).to.be.above(first!);
  });

  it('refuses a name that is taken', async () => {
    await api.admin.post(api.leases, bodies.lease('taken'));
    const again = await api.admin.post(api.leases, bodies.lease('taken'));
    expect(again.at()).to.deep.equal({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'leases.coordination.k8s.io "taken" already exists',
      reason: 'AlreadyExists',
      details: { name: 'taken', group: 'coordination.k8s.io', kind: 'leases' },
      code: 409,
    });
    expect(again.status).to.equal(409);
  });

  it('completes a generated name', async () => {
    const created = await api.admin.post(api.leases, { metadata: { generateName: 'part-' }, spec: {} });
    expect(created.at('metadata', 'name')).to.match(/^part-[a-z0-9]{5}$/);
  });

  it('drops what is null or empty', async () => {
    const body = bodies.lease('sparse', { holderIdentity: null }, { annotations: {}, labels: { a: 'b' } });
    const created = await api.admin.post(api.leases, body);
    expect(created.at('spec')).to.deep.equal({});
    expect(created.at('metadata', 'annotations')).to.equal(undefined);
    expect(created.at('metadata', 'labels')).to.deep.equal({ a: 'b' });
  });

  for (const [law, body, status, message] of [
    [
      'a namespace that is not the path’s',
      bodies.lease('bad', {}, { namespace: 'other' }),
      400,
      /the namespace of the provided object does not match the namespace sent on the request/,
    ],
    ['a resourceVersion', bodies.lease('bad', {}, { resourceVersion: '5' }), 500, /should not be set on objects to be/],
    ['another kind', bodies.secret('bad', {}), 400, /Secret in version "v1" cannot be handled as a Lease/],
    ['no name', { spec: {} }, 422, /metadata.name: Required value: name or generateName is required/],
    ['a name in capitals', bodies.lease('Bad'), 422, /metadata.name: Invalid value: "Bad"/],
    [
      'an annotation that is no text',
      bodies.lease('bad', {}, { annotations: { a: 1 } }),
      400,
      /cannot be handled as a Lease/,
    ],
    [
      'an annotation key of three parts',
      bodies.lease('bad', {}, { annotations: { 'a/b/c': '' } }),
      422,
      /metadata.annotations/,
    ],
    [
      'a label value with spaces',
      bodies.lease('bad', {}, { labels: { a: 'b c' } }),
      422,
      /metadata.labels: Invalid value: "b c"/,
    ],
    [
      'a duration of nothing',
      bodies.lease('bad', { leaseDurationSeconds: 0 }),
      422,
      /spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0/,
    ],
    ['a duration in words', bodies.lease('bad', { leaseDurationSeconds: '5' }), 400, /cannot be handled as a Lease/],
  ] as const) {
    it(`refuses ${law}`, async () => {
      const answer = await api.admin.post(api.leases, body);
      expect(answer.status).to.equal(status);
      expect(answer.at('message')).to.match(message);
    });
  }

  it('takes lease times with microseconds only, and keeps them in UTC', async () => {
    const coarse = await api.admin.post(api.leases, bodies.lease('coarse', { renewTime: '2026-01-02T03:04:05.123Z' }));
    expect(coarse.status).to.equal(400);
    const fine = bodies.lease('fine', { renewTime: '2026-01-02T03:04:05.123456+02:00' });
    expect((await api.admin.post(api.leases, fine)).at('spec', 'renewTime')).to.equal('2026-01-02T01:04:05.123456Z');
  });

  it('wants an Event in the namespace of what it is about, and in default when that has none', async () => {
    const event = (involvedObject: Record<string, string>, events = api.events) =>
      api.admin.post(events, {
        metadata: { generateName: 'e.' },
        involvedObject,
        reason: 'R',
        message: 'm',
        type: 'Warning',
      });
    expect((await event({ kind: 'Pod', name: 'p', namespace: api.namespace })).status).to.equal(201);
    const configuration = { kind: 'ValidatingWebhookConfiguration', name: 'v' };
    expect((await event(configuration, '/api/v1/namespaces/default/events')).status).to.equal(201);
    expect((await event(configuration)).status).to.equal(422);
    const astray = await event({ kind: 'Pod', name: 'p', namespace: 'other' });
    expect(astray.status).to.equal(422);
    expect(astray.at('message')).to.match(
      /involvedObject.namespace: Invalid value: "other": does not match event.namespace/,
    );
  });

  it('only pretends in a dry run', async () => {
    expect((await api.admin.post(`${api.leases}?dryRun=All`, bodies.lease('dry'))).status).to.equal(201);
    expect((await api.admin.get(`${api.leases}/dry`)).status).to.equal(404);
  });
});
