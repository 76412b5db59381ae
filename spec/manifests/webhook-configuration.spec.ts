import { expect } from 'chai';
import type { Json } from '../support/raw-api.ts';
import { only, rendered } from './rendered.ts';
import { replicaOf } from './replica-of.ts';

interface NotIn {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

describe('the ValidatingWebhookConfiguration', () => {
  const objects = rendered();
  const { config } = replicaOf(objects);
  const target = only(objects, 'ValidatingWebhookConfiguration');
  const webhooks = target.at('webhooks') as readonly Readonly<Record<string, Json>>[];

  it('is what CA_BUNDLE_TARGETS names', () => {
    expect(config.caBundleTargets).to.deep.equal([{ type: 'validatingwebhookconfiguration', name: target.name }]);
  });

  it('calls the Service whose name the leaf carries, on a port that leads to the daemon', () => {
    const service = only(objects, 'Service');
    for (const { clientConfig } of webhooks) {
      expect(clientConfig).to.deep.equal({
        service: {
          name: service.name,
          namespace: service.at('metadata', 'namespace'),
          path: '/validate',
          port: service.at('spec', 'ports', 0, 'port'),
        },
      });
    }
    expect(config.serviceNames).to.include(`${service.name}.${config.namespace}.svc`);
    expect(service.at('spec', 'ports')).to.deep.equal([
      { name: 'webhook', protocol: 'TCP', port: 443, targetPort: 'webhook' },
    ]);
  });

  it('leaves out its own namespace on every version of Kubernetes, and no other', () => {
    const labels = only(objects, 'Namespace').at('metadata', 'labels') as Readonly<Record<string, string>>;
    const selects = ({ key, values }: NotIn, its: Readonly<Record<string, string>>): boolean =>
      !values.includes(its[key] ?? '');
    for (const { namespaceSelector, failurePolicy } of webhooks) {
      const { matchExpressions } = namespaceSelector as unknown as { readonly matchExpressions: readonly NotIn[] };
      expect(matchExpressions.map(({ operator }) => operator)).to.deep.equal(['NotIn', 'NotIn']);
      expect(matchExpressions.every((expression) => selects(expression, labels))).to.equal(false);
      // The label that every API server since 1.21 sets, also on a namespace that is not of these manifests.
      const named = { 'kubernetes.io/metadata.name': config.namespace };
      expect(matchExpressions.every((expression) => selects(expression, named))).to.equal(false);
      expect(matchExpressions.every((expression) => selects(expression, {}))).to.equal(true);
      expect(failurePolicy).to.equal('Fail');
    }
  });
});
