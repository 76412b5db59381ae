import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Json } from '../support/raw-api.ts';
import { MANIFESTS, only, rendered, resources } from './rendered.ts';
import { replicaOf } from './replica-of.ts';

const { config: base } = replicaOf(rendered());

describe('the component sidecar', () => {
  const { config, pod } = replicaOf(rendered('sidecar'));

  it('forwards to the loopback, to a port that nothing of the daemon’s takes', () => {
    const { upstream, handlerModule } = config;
    if (upstream?.kind !== 'http') throw new Error('the upstream is no URL');
    expect(handlerModule).to.equal(null);
    const { hostname, port } = new URL(upstream.url);
    const [, app] = pod['containers'] as readonly { readonly env: readonly { readonly value: string }[] }[];
    expect(hostname).to.equal('127.0.0.1');
    expect(app?.env.map(({ value }) => value)).to.deep.equal([`${hostname}:${port}`]);
    const own = [config.webhookBind.port, config.probeBind.port, config.metricsBind?.port];
    expect(own).not.to.include(Number(port));
  });

  it('lets the app outlive the calls that the front still accepts, within the grace period of the Pod', () => {
    const [, app] = pod['containers'] as readonly { readonly lifecycle?: Json }[];
    const { sleep } = (app?.lifecycle as { preStop?: { sleep?: { seconds: number } } } | undefined)?.preStop ?? {};
    // The daemon accepts new connections for 5 s after SIGTERM.
    expect(sleep?.seconds).to.be.at.least(5 + config.upstreamTimeoutMs / 1_000);
    expect(sleep?.seconds).to.be.below(pod['terminationGracePeriodSeconds'] as number);
  });
});

describe('the component handler-image', () => {
  const { config, pod } = replicaOf(rendered('handler-image'));

  it('names a handler below the mount of the image volume, which is no place that webhook-certd uses', () => {
    const [daemon] = pod['containers'] as readonly { volumeMounts: readonly { name: string; mountPath: string }[] }[];
    const mount = daemon?.volumeMounts.find(({ name }) => name === 'handler');
    const volume = (pod['volumes'] as readonly { name: string; image?: Json }[]).find(({ name }) => name === 'handler');
    expect(volume?.image).to.deep.equal({ reference: 'webhook-handler', pullPolicy: 'IfNotPresent' });
    expect(dirname(config.handlerModule ?? '')).to.equal(mount?.mountPath);
    expect(['/app', config.certDir]).not.to.include(mount?.mountPath);
  });
});

describe('the component external-issuer', () => {
  const objects = rendered('external-issuer');
  const { config } = replicaOf(objects);
  const certificates = objects.filter(({ kind }) => kind === 'Certificate');
  const leaf = certificates.find((certificate) => certificate.at('spec', 'isCA') !== true);

  it('leaves issuing to the external issuer, with the names and the Secret that the daemon expects', () => {
    expect(config.issuer.name).to.equal('external');
    expect(leaf?.at('spec', 'secretName')).to.equal(config.secretName);
    expect(leaf?.at('spec', 'dnsNames')).to.deep.equal(config.serviceNames);
  });

  it('signs with a CA whose Secret is not the daemon’s', () => {
    const issuers = new Map(objects.filter(({ kind }) => kind === 'Issuer').map((issuer) => [issuer.name, issuer]));
    const authority = certificates.find((certificate) => certificate !== leaf);
    const issuerOf = (certificate = leaf) => issuers.get(certificate?.at('spec', 'issuerRef', 'name') as string);
    expect(issuerOf()?.at('spec', 'ca', 'secretName')).to.equal(authority?.at('spec', 'secretName'));
    expect(issuerOf(authority)?.at('spec')).to.deep.equal({ selfSigned: {} });
    expect([config.secretName, `${config.secretName}-ca`]).not.to.include(authority?.at('spec', 'secretName'));
  });
});

describe('the component relay', () => {
  const objects = rendered('relay');
  const { config, pod } = replicaOf(objects);
  const certificates = objects.filter(({ kind }) => kind === 'Certificate');
  const leaf = certificates.find((certificate) => certificate.at('spec', 'isCA') !== true);

  it('has cert-manager issue into the Secret that is relayed, for every name that callers use', () => {
    expect(config.issuer.name).to.equal('relay');
    expect(leaf?.at('spec', 'secretName')).to.equal(config.sourceSecret);
    expect(leaf?.at('spec', 'dnsNames')).to.include.members([...config.requiredNames]);
  });

  it('mounts the Secret that the leader writes, and no other', () => {
    const volumes = pod['volumes'] as readonly { readonly secret?: { readonly secretName: string } }[];
    const mounted = volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName]));
    expect(mounted).to.deep.equal([config.secretName]);
    expect(mounted).not.to.include(config.sourceSecret);
  });
});

describe('the component policy', () => {
  const policy = only(resources('components', 'policy'), 'ValidatingAdmissionPolicy');
  const variable = (wanted: string): Json | undefined =>
    (policy.at('spec', 'variables') as readonly { readonly name: string; readonly expression: Json }[]).find(
      ({ name }) => name === wanted,
    )?.expression;

  it('leaves a replica the two annotations that the daemon writes', () => {
    const source = readFileSync(join(MANIFESTS, '..', 'src', 'cluster', 'pods.ts'), 'utf8');
    const written = new Set([...source.matchAll(/annotate\('([\w-]+)'/g)].map(([, name]) => name));
    const named = [...(variable('own') as string).matchAll(/'([^']+)'/g)].map(([, name]) => name);
    expect(named.sort()).to.deep.equal([...written].map((name) => `${base.annotationPrefix}/${name}`).sort());
  });

  it('concerns the service account of the Pods, in whatever namespace, and the subresource that it may patch', () => {
    const account = only(rendered(), 'ServiceAccount').name;
    expect(policy.at('spec', 'matchConditions', 0, 'expression')).to.equal(
      `request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':${account}'`,
    );
    expect(policy.at('spec', 'matchConstraints', 'resourceRules')).to.deep.equal([
      { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/status'], scope: '*' },
    ]);
  });

  it('rejects with 403, which replicas take for a missing permission', () => {
    const validations = policy.at('spec', 'validations') as readonly { readonly reason?: string }[];
    expect(validations).to.have.length(5);
    expect(new Set(validations.map(({ reason }) => reason))).to.deep.equal(new Set(['Forbidden']));
  });

  it('is bound, and denies', () => {
    const binding = only(resources('components', 'policy'), 'ValidatingAdmissionPolicyBinding');
    expect(binding.at('spec')).to.deep.equal({ policyName: policy.name, validationActions: ['Deny'] });
  });
});
