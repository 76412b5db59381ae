import { expect } from 'chai';
import { startApiUnderTest } from '../support/api-under-test.ts';
import { only, rendered } from './rendered.ts';

const COLLECTION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

describe('the manifests', () => {
  it('state the defaults of the webhook configuration, so that applying it again changes nothing', async () => {
    await using api = await startApiUnderTest();
    const manifest = only(rendered(), 'ValidatingWebhookConfiguration');
    const created = await api.admin.post(COLLECTION, manifest.json);
    expect(created.at('webhooks')).to.deep.equal(manifest.at('webhooks'));
    const applied = await api.admin.patch('merge', `${COLLECTION}/${manifest.name}?fieldManager=other`, manifest.json);
    expect(applied.status, applied.text).to.equal(200);
    expect(applied.at('metadata', 'generation')).to.equal(created.at('metadata', 'generation'));
    expect(applied.at('webhooks')).to.deep.equal(created.at('webhooks'));
  });
});
