import { expect } from 'chai';
import { secretObject } from '../../src/cluster/decode.ts';
import { replicaObject } from '../../src/cluster/pods.ts';
import { createSecret, patchSecret, setFields } from '../../src/cluster/step-executor.ts';
import { targetObject, targetPath } from '../../src/cluster/targets.ts';

const metadata = { resourceVersion: '7' };
const encode = (text: string): string => Buffer.from(text).toString('base64');

describe('a Secret', () => {
  it('has its values decoded, and none where there is no data', () => {
    expect(secretObject({ metadata, data: { 'tls.crt': encode('certificate') } })).to.deep.include({
      resourceVersion: '7',
      values: { 'tls.crt': Buffer.from('certificate') },
    });
    expect(secretObject({ metadata, data: null }).values).to.deep.equal({});
  });

  it('is written with the version it was decided on, under the field manager', () => {
    expect(patchSecret('/s', '7', { a: 'x', b: null })).to.deep.equal({
      method: 'PATCH',
      path: '/s',
      query: { fieldManager: 'webhook-certd' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { resourceVersion: '7' }, data: { a: encode('x'), b: null } },
    });
    expect(createSecret({ collection: '/c', name: 'n' }, 'Opaque', { a: 'x' })).to.deep.include({
      method: 'POST',
      path: '/c',
      body: { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: 'n' }, data: { a: encode('x') } },
    });
  });
});

describe('a Pod', () => {
  const replica = replicaObject('p');

  it('serves what its annotation says, and is not gone', () => {
    expect(replica({ metadata: { name: 'a', annotations: { 'p/serving-hash': 'h' } } })).to.deep.equal({
      name: 'a',
      servingHash: 'h',
      goneAtMs: null,
    });
    for (const annotations of [undefined, null, { 'q/serving-hash': 'h' }])
      expect(replica({ metadata: { name: 'a', annotations } }).servingHash).to.equal(null);
  });

  it('is gone at its deletion time', () => {
    const deletionTimestamp = '2026-11-23T06:00:00Z';
    expect(replica({ metadata: { name: 'a', deletionTimestamp } }).goneAtMs).to.equal(Date.parse(deletionTimestamp));
  });
});

describe('a caBundle target', () => {
  const clientConfig = { caBundle: encode('PEM') };

  it('has a field for each webhook, the conversion webhook or the service', () => {
    const webhooks = [{ clientConfig }, { clientConfig: {} }];
    const two = [
      { pointer: '/webhooks/0/clientConfig/caBundle', pem: 'PEM' },
      { pointer: '/webhooks/1/clientConfig/caBundle', pem: '' },
    ];
    for (const type of ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration'] as const)
      expect(targetObject(type, null)({ metadata, webhooks }).fields).to.deep.equal(two);
    const conversion = { strategy: 'Webhook', webhook: { clientConfig } };
    expect(targetObject('customresourcedefinition', null)({ metadata, spec: { conversion } }).fields).to.deep.equal([
      { pointer: '/spec/conversion/webhook/clientConfig/caBundle', pem: 'PEM' },
    ]);
    const spec = { service: { name: 's' }, caBundle: encode('PEM') };
    expect(targetObject('apiservice', null)({ metadata, spec }).fields).to.deep.equal([
      { pointer: '/spec/caBundle', pem: 'PEM' },
    ]);
  });

  it('has no field where nothing is called: no webhooks, no conversion by webhook, a local APIService', () => {
    expect(targetObject('validatingwebhookconfiguration', null)({ metadata }).fields).to.deep.equal([]);
    const none = { metadata, spec: { conversion: { strategy: 'None' } } };
    expect(targetObject('customresourcedefinition', null)(none).fields).to.deep.equal([]);
    expect(targetObject('apiservice', null)({ metadata, spec: {} }).fields).to.deep.equal([]);
  });

  it('names the other manager that wrote a caBundle last', () => {
    const wrote = (manager: string, time: string) => ({
      manager,
      time,
      fieldsV1: { 'f:webhooks': { 'k:{"name":"a"}': { 'f:clientConfig': { 'f:caBundle': {} } } } },
    });
    const other = { manager: 'kubectl', time: '2026-11-23T09:00:00Z', fieldsV1: { 'f:metadata': {} } };
    const managedFields = [
      wrote('webhook-certd', '2026-11-23T08:00:00Z'),
      wrote('helm', '2026-11-23T06:00:00Z'),
      wrote('argo', '2026-11-23T07:00:00Z'),
      other,
    ];
    const parse = targetObject('validatingwebhookconfiguration', null);
    expect(parse({ metadata: { ...metadata, managedFields } }).otherManager).to.equal('argo');
    expect(parse({ metadata: { ...metadata, managedFields: [wrote('webhook-certd', '1')] } }).otherManager).to.equal(
      null,
    );
  });

  it('is patched in its caBundle fields alone, and only as the version it was read in', () => {
    const fields = [{ pointer: '/spec/caBundle', value: 'PEM' }];
    expect(setFields('/t', '7', fields).body).to.deep.equal([
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/spec/caBundle', value: encode('PEM') },
    ]);
  });

  it('lives where its type says', () => {
    expect(targetPath('apiservice')).to.equal('/apis/apiregistration.k8s.io/v1/apiservices');
  });
});
