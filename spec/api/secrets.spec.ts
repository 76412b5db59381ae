import { expect } from 'chai';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

const tls = { type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==', 'tls.key': 'Yg==', 'ca.crt': '' } };

describe('api: secrets', () => {
  const api = useApi();
  const create = (name: string, content: Parameters<typeof bodies.secret>[1]) =>
    api.admin.post(api.secrets, bodies.secret(name, content));

  it('folds stringData into data', async () => {
    const created = await create('folded', { data: { a: 'YQ==', b: 'YQ==' }, stringData: { b: 'b' } });
    expect(created.at('data')).to.deep.equal({ a: 'YQ==', b: 'Yg==' });
    expect(created.at()).not.to.have.property('stringData');
    const patched = await api.admin.patch('merge', `${api.secrets}/folded`, { stringData: { a: 'c' } });
    expect(patched.at('data')).to.deep.equal({ a: 'Yw==', b: 'Yg==' });
  });

  it('is Opaque unless told otherwise, and never changes its type', async () => {
    expect((await create('opaque', {})).at('type')).to.equal('Opaque');
    await create('tls', tls);
    for (const type of [{ type: 'Opaque' }, {}]) {
      const answer = await api.admin.put(`${api.secrets}/tls`, bodies.secret('tls', { data: tls.data, ...type }));
      expect(answer.status).to.equal(422);
      expect(answer.at('message')).to.equal(
        'Secret "tls" is invalid: type: Invalid value: "Opaque": field is immutable',
      );
    }
  });

  it('wants certificate and key in a TLS Secret', async () => {
    const answer = await create('half', { type: tls.type, data: { 'tls.crt': 'YQ==' } });
    expect(answer.status).to.equal(422);
    expect(answer.at('message')).to.equal('Secret "half" is invalid: data[tls.key]: Required value');
    await create('whole', tls);
    const patch = { data: { 'tls.crt': null } };
    expect((await api.admin.patch('merge', `${api.secrets}/whole`, patch)).status).to.equal(422);
  });

  it('keeps an empty value', async () => {
    expect((await create('empty', { data: { a: '' } })).at('data')).to.deep.equal({ a: '' });
  });

  for (const value of ['!!', 'YQ']) {
    it(`refuses ${value}, which is not base64`, async () => {
      const answer = await create('bad', { data: { a: value } });
      expect(answer.status).to.equal(400);
      expect(answer.at('message')).to.match(/^Secret in version "v1" cannot be handled as a Secret: /);
    });
  }

  it('refuses a key that could not be a file name', async () => {
    const answer = await create('bad', { data: { 'a b': 'YQ==' } });
    expect(answer.status).to.equal(422);
    expect(answer.at('message')).to.match(/^Secret "bad" is invalid: data\[a b\]: Invalid value: "a b": /);
  });

  it('is sealed by immutable', async () => {
    await create('sealed', { data: { a: 'YQ==' }, immutable: true });
    const change = await api.admin.patch('merge', `${api.secrets}/sealed`, { data: { a: 'Yg==' } });
    expect(change.at('message')).to.equal(
      'Secret "sealed" is invalid: data: Forbidden: field is immutable when `immutable` is set',
    );
    expect((await api.admin.patch('merge', `${api.secrets}/sealed`, { immutable: false })).status).to.equal(422);
    const label = { metadata: { labels: { a: 'b' } } };
    expect((await api.admin.patch('merge', `${api.secrets}/sealed`, label)).status).to.equal(200);
  });
});
