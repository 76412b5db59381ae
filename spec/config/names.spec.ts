import { expect } from 'chai';
import { parse } from './parse.ts';

const namesOf = (env: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> => {
  const result = parse(env);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  const { leaseName, secretName, serviceName, podSelector, annotationPrefix, caBundleTargets } = result.config;
  return { leaseName, secretName, serviceName, podSelector, annotationPrefix, caBundleTargets };
};

const KUBETEMPLATER = {
  leaseName: '8377a775.my.company.com',
  secretName: 'kubetemplater-webhook-cert',
  serviceName: 'kubetemplater-webhook-service',
  podSelector: 'app.kubernetes.io/name=kubetemplater',
  annotationPrefix: 'kubetemplater.io',
  caBundleTargets: [{ type: 'validatingwebhookconfiguration', name: 'kubetemplater-validating-webhook-configuration' }],
};

const ORDERS = {
  leaseName: 'orders',
  secretName: 'orders-cert',
  serviceName: 'orders',
  podSelector: 'app.kubernetes.io/name=orders',
  annotationPrefix: 'webhook-certd',
  caBundleTargets: [{ type: 'validatingwebhookconfiguration', name: 'orders.shop' }],
};

describe('NAME', () => {
  it('derives the name of every object, and one annotation prefix for all installations', () => {
    expect(namesOf({ NAME: 'orders', POD_NAMESPACE: 'shop' })).to.deep.equal(ORDERS);
  });

  it('leaves the names of KubeTemplater where it is not set', () => {
    expect(namesOf({})).to.deep.equal(KUBETEMPLATER);
    expect(namesOf({ NAME: '' })).to.deep.equal(KUBETEMPLATER);
  });

  for (const [variable, field, text, value] of [
    ['LEASE_NAME', 'leaseName', 'l', 'l'],
    ['SECRET_NAME', 'secretName', 's', 's'],
    ['SERVICE_NAME', 'serviceName', 'svc', 'svc'],
    ['POD_SELECTOR', 'podSelector', 'app=x', 'app=x'],
    ['ANNOTATION_PREFIX', 'annotationPrefix', 'example.com', 'example.com'],
    ['CA_BUNDLE_TARGETS', 'caBundleTargets', '', []],
  ] as const) {
    it(`leaves ${variable} to be set alone, also to nothing where that is a value`, () => {
      const names = namesOf({ NAME: 'orders', POD_NAMESPACE: 'shop', [variable]: text });
      expect(names).to.deep.equal({ ...ORDERS, [field]: value });
    });
  }

  it('gives no two installations an object in common, whatever their names and namespaces', () => {
    const all = [
      ['a', 'b-c'],
      ['a-b', 'c'],
      ['a', 'b'],
      ['b', 'a'],
    ].map(([NAME = '', POD_NAMESPACE = '']) => namesOf({ NAME, POD_NAMESPACE })['caBundleTargets']);
    expect(new Set(all.map((targets) => JSON.stringify(targets))).size).to.equal(all.length);
  });

  it('that is refused is one problem and not one for each name that is derived from it', () => {
    for (const [NAME, POD_NAMESPACE] of [
      ['Orders!', 'shop'],
      ['orders', 'no.such'],
    ]) {
      const result = parse({ NAME, POD_NAMESPACE });
      expect(result.ok ? [] : result.problems, NAME).to.have.length(1);
    }
  });
});
