import { expect } from 'chai';
import type { Json, RawAnswer } from '../support/raw-api.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsType: string;
  readonly time: string;
  readonly fieldsV1: Json;
}

const entryOf = (answer: RawAnswer, manager: string): Entry | undefined =>
  (answer.at('metadata', 'managedFields') as unknown as readonly Entry[] | undefined)?.find(
    (entry) => entry.manager === manager,
  );

const bundleOf = (...webhooks: readonly string[]) => ({
  'f:webhooks': Object.fromEntries(
    webhooks.map((name) => [`k:{"name":"${name}"}`, { 'f:clientConfig': { 'f:caBundle': {} } }]),
  ),
});

const put = (index: number, value: string) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value });

for (const kind of ['Validating', 'Mutating'] as const) {
  describe(`api: managedFields of a ${kind}WebhookConfiguration`, () => {
    const api = useApi();
    const folder = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`;
    const patch = (manager: string, ...operations: readonly ReturnType<typeof put>[]) =>
      api.admin.patch('json', `${folder}/${api.namespace}?fieldManager=${manager}`, operations);

    beforeEach(async () => {
      await api.admin.post(
        `${folder}?fieldManager=installer`,
        bodies.webhooks(kind, api.namespace, ['a.b.test', 'c.d.test']),
      );
    });

    afterEach(async () => {
      await api.admin.delete(`${folder}/${api.namespace}`);
    });

    it('names the one that wrote each caBundle last', async () => {
      await patch('first', put(0, 'Q0E='), put(1, 'Q0E='));
      const answer = await patch('second', put(1, 'Q0Ey'));
      expect(entryOf(answer, 'first')).to.deep.include({
        operation: 'Update',
        apiVersion: 'admissionregistration.k8s.io/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: bundleOf('a.b.test'),
      });
      expect(entryOf(answer, 'second')?.fieldsV1).to.deep.equal(bundleOf('c.d.test'));
      expect(entryOf(answer, 'second')?.time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });

    it('leaves the rest to whoever installed it', async () => {
      const answer = await patch('first', put(0, 'Q0E='));
      const installed = entryOf(answer, 'installer')?.fieldsV1 as Readonly<Record<string, Json>>;
      expect(JSON.stringify(installed)).to.include('f:failurePolicy').and.not.include('caBundle');
    });

    it('does not move ownership when the value stays', async () => {
      await patch('first', put(0, 'Q0E='));
      const answer = await patch('second', put(0, 'Q0E='));
      expect(entryOf(answer, 'first')?.fieldsV1).to.deep.equal(bundleOf('a.b.test'));
      expect(entryOf(answer, 'second')).to.equal(undefined);
    });

    it('forgets a manager that owns nothing any more', async () => {
      await patch('first', put(0, 'Q0E='));
      expect(entryOf(await patch('second', put(0, 'Q0Ey')), 'first')).to.equal(undefined);
    });

    it('counts an empty caBundle as none', async () => {
      await patch('first', put(0, 'Q0E='));
      const answer = await patch('second', put(0, ''));
      expect(answer.status).to.equal(200);
      expect(answer.at('webhooks', 0, 'clientConfig')).not.to.have.property('caBundle');
      expect(entryOf(answer, 'first')).to.equal(undefined);
    });

    it('takes the manager from the User-Agent when the query does not say', async () => {
      const answer = await api.admin.patch('json', `${folder}/${api.namespace}`, [put(0, 'Q0E=')]);
      expect(entryOf(answer, 'raw-api')?.fieldsV1).to.deep.equal(bundleOf('a.b.test'));
    });

    it('refuses a caBundle that is not base64', async () => {
      expect((await patch('first', put(0, '!!'))).status).to.equal(422);
    });

    it('writes each bundle by the name of its webhook only', async () => {
      const guard = { op: 'test', path: '/webhooks/0/name', value: 'c.d.test' };
      expect((await patch('first', guard, put(0, 'Q0E='))).status).to.equal(422);
    });
  });
}

describe('api: other caBundle targets', () => {
  const api = useApi();

  it('names who wrote the caBundle of a CustomResourceDefinition', async () => {
    const folder = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const plural = `${api.namespace.replaceAll('-', '')}s`;
    await api.admin.post(`${folder}?fieldManager=installer`, bodies.crd(plural));
    const body = { spec: { conversion: { webhook: { clientConfig: { caBundle: 'Q0E=' } } } } };
    const answer = await api.admin.patch('merge', `${folder}/${plural}.spec.test?fieldManager=first`, body);
    expect(answer.status).to.equal(200);
    const path = { 'f:spec': { 'f:conversion': { 'f:webhook': { 'f:clientConfig': { 'f:caBundle': {} } } } } };
    expect(entryOf(answer, 'first')?.fieldsV1).to.deep.equal(path);
    await api.admin.delete(`${folder}/${plural}.spec.test`);
  });

  it('keeps the caBundle of an APIService', async () => {
    const folder = '/apis/apiregistration.k8s.io/v1/apiservices';
    const name = `v1.${api.namespace}.test`;
    await api.admin.post(folder, bodies.apiService(`${api.namespace}.test`));
    const answer = await api.admin.patch('merge', `${folder}/${name}`, { spec: { caBundle: 'Q0E=' } });
    expect(answer.status).to.equal(200);
    expect(answer.at('spec', 'caBundle')).to.equal('Q0E=');
    expect(answer.at('spec', 'service', 'port')).to.equal(443);
    await api.admin.delete(`${folder}/${name}`);
  });
});
