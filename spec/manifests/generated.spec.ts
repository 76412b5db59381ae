import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import type { Manifest as Printed } from '../../src/manifests/installation.ts';
import { manifestText } from '../../src/manifests/manifests.ts';
import type { Json } from '../support/raw-api.ts';
import { BASE, manifestFiles, manifestsOf } from '../support/write-manifests.ts';
import { type Component, MANIFESTS, rendered, resources } from './rendered.ts';

const byId = (objects: readonly Json[]): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    objects.map((json) => {
      const { kind, metadata } = json as { readonly kind: string; readonly metadata: { readonly name: string } };
      return [`${kind}/${metadata.name}`, json];
    }),
  );

const printed = (...args: readonly string[]): Readonly<Record<string, Json>> =>
  byId(manifestsOf([...BASE, ...args]).map((each) => load(manifestText(each)) as Json));

describe('manifests/ as files', () => {
  for (const [path, text] of manifestFiles())
    it(`has in ${path} what the command prints (npx node spec/support/write-manifests.ts writes it)`, () => {
      expect(readFileSync(join(MANIFESTS, path), 'utf8')).to.equal(text);
    });

  it('are what `webhook-certd manifests` prints', () => {
    expect(byId(rendered().map(({ json }) => json))).to.deep.equal(printed());
  });

  for (const [component, option] of [
    ['sidecar', '--mode=upstream'],
    ['external-issuer', '--issuer=external'],
    ['relay', '--issuer=relay'],
    ['policy', '--with=policy'],
  ] satisfies readonly (readonly [Component, string])[])
    it(`are with the component ${component} what it prints with ${option}`, () => {
      expect(byId(rendered(component).map(({ json }) => json))).to.deep.equal(printed(option));
    });

  it('print no objects of cert-manager where another program writes the source already', () => {
    const kinds = manifestsOf([...BASE, '--issuer=relay', '--source-secret=webhook-certd-issued']);
    expect(kinds.map(({ object }) => object.kind)).not.to.include.members(['Issuer']);
  });

  it('are with the component monitoring what it prints with --with=monitoring, where a kustomization makes the ConfigMap', () => {
    const { 'ConfigMap/webhook-certd-dashboard': dashboard, ...others } = printed('--with=monitoring');
    const files = [...resources('base'), ...resources('components', 'monitoring')];
    expect(byId(files.map(({ json }) => json))).to.deep.equal(others);
    const kustomization = load(
      readFileSync(join(MANIFESTS, 'components', 'monitoring', 'kustomization.yaml'), 'utf8'),
    ) as { readonly configMapGenerator: readonly { readonly options: { readonly labels: Json } }[] };
    const [{ options, ...generator }] = kustomization.configMapGenerator as unknown as readonly [
      { readonly options: { readonly labels: Json } },
    ];
    const { metadata, data } = dashboard as { readonly metadata: Json; readonly data: Record<string, string> };
    expect({ ...generator, labels: options.labels }).to.deep.equal({
      ...(metadata as object),
      files: ['webhook-certd.json=dashboard.json'],
    });
    expect(JSON.parse(data['webhook-certd.json'] ?? '')).to.deep.equal(
      JSON.parse(readFileSync(join(MANIFESTS, 'components', 'monitoring', 'dashboard.json'), 'utf8')),
    );
  });
});

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly volumeMounts: Json;
  readonly startupProbe: { readonly httpGet: { readonly path: string } };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly shareProcessNamespace?: boolean;
}

/** Every text in it, also those that are keys. */
const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...textsIn(each)]);
};

const identityOf = ({ object: { apiVersion, kind, metadata } }: Printed): string =>
  `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

describe('`webhook-certd manifests`', () => {
  const everything = ['--with=policy,monitoring,network-policy', '--issuer=external', '--mode=upstream'];

  it('prints no object of one installation for another, be it of the same name or in the same namespace', () => {
    const installations = [
      ['--name=orders', '--namespace=shop'],
      ['--name=invoices', '--namespace=shop'],
      ['--name=orders', '--namespace=store'],
      ['--name=shop', '--namespace=orders'],
    ].flatMap((args) => manifestsOf([...args, ...everything]).map(identityOf));
    expect(new Set(installations).size).to.equal(installations.length);
  });

  it('names nothing after another installation, but the program and its annotations', () => {
    const texts = manifestsOf(['--name=orders', '--namespace=shop', '--image=any', ...everything])
      .filter(({ object }) => !['ConfigMap', 'PrometheusRule'].includes(object.kind))
      .flatMap(({ object }) => textsIn(object));
    expect(texts.filter((text) => text.includes('kubetemplater'))).to.deep.equal([]);
    const own = texts.filter((text) => text.includes('webhook-certd'));
    expect([...new Set(own)].sort()).to.deep.equal([
      "['webhook-certd/expected-hash', 'webhook-certd/serving-hash']",
      'webhook-certd',
      'webhook-certd/webhook',
    ]);
  });

  it('prints the variables that are given, in the environment and in what depends on them', () => {
    const objects = byId(
      manifestsOf([
        '--name=orders',
        '--namespace=shop',
        '--cert-validity=90d',
        '--webhook-bind-address=:8443',
        '--metrics-bind-address=0',
        '--shutdown-grace=1m',
        '--secret-name=tls',
        '--lease-name=elect',
        '--service-name=hook',
        '--with=monitoring,network-policy',
        '--replicas=1',
      ]).map(({ object }) => object as unknown as Json),
    );
    expect(Object.keys(objects)).to.have.members([
      'ServiceAccount/orders',
      'Role/orders',
      'RoleBinding/orders',
      'ClusterRole/orders.shop',
      'ClusterRoleBinding/orders.shop',
      'Deployment/orders',
      'Service/hook',
      'ValidatingWebhookConfiguration/orders.shop',
      'NetworkPolicy/orders',
    ]);
    const deployment = JSON.stringify(objects['Deployment/orders']);
    for (const part of [
      '{"name":"CERT_VALIDITY","value":"90d"}',
      '{"name":"webhook","containerPort":8443,"protocol":"TCP"}',
      '"terminationGracePeriodSeconds":75',
      '"secretName":"tls"',
      '"replicas":1',
    ])
      expect(deployment).to.include(part);
    expect(deployment).not.to.include('"metrics"');
    expect(JSON.stringify(objects['Role/orders'])).to.include('"tls","tls-ca"').and.include('"elect"');
    expect(JSON.stringify(objects['NetworkPolicy/orders'])).to.include('[{"port":8443,"protocol":"TCP"},{"port":8081');
  });

  it('prints no webhook configuration for targets of the user’s, and one rule a type', () => {
    const objects = manifestsOf([
      '--name=orders',
      '--target=apiservice/v1.a,customresourcedefinition/x.a,apiservice/v1.b',
    ]);
    expect(objects.map(({ object }) => object.kind)).not.to.include('ValidatingWebhookConfiguration');
    const role = objects.find(({ object }) => object.kind === 'ClusterRole');
    expect(role?.object['rules']).to.deep.equal([
      {
        apiGroups: ['apiregistration.k8s.io'],
        resources: ['apiservices'],
        resourceNames: ['v1.a', 'v1.b'],
        verbs: ['get', 'list', 'watch', 'patch'],
      },
      {
        apiGroups: ['apiextensions.k8s.io'],
        resources: ['customresourcedefinitions'],
        resourceNames: ['x.a'],
        verbs: ['get', 'list', 'watch', 'patch'],
      },
    ]);
    const none = manifestsOf(['--name=orders', '--ca-bundle-targets=']).map(({ object }) => object.kind);
    expect(none).not.to.include('ClusterRole').and.not.to.include('ClusterRoleBinding');
  });

  it('sends calls to the server beside the daemon, whose own ports are out of the way of controller-runtime’s', () => {
    const args = [
      '--name=orders',
      '--serving-address=127.0.0.1:9999',
      '--reload=signal:HUP:nginx',
      '--with=network-policy',
    ];
    const objects = manifestsOf(args).map(({ object }) => object);
    const { template } = objects.find(({ kind }) => kind === 'Deployment')?.['spec'] as unknown as {
      readonly template: { readonly spec: PodSpec };
    };
    const [app] = template.spec.containers;
    const [daemon] = template.spec.initContainers;
    expect(daemon).to.deep.include({ restartPolicy: 'Always' });
    expect(daemon?.startupProbe.httpGet.path).to.equal('/startupz');
    const env = new Map(daemon?.env.map(({ name, value }) => [name, value]));
    expect(env.get('SERVING_ADDRESS')).to.equal('127.0.0.1:9999');
    expect(env.has('WEBHOOK_HANDLER')).to.equal(false);
    expect(app?.ports).to.deep.equal([{ name: 'webhook', containerPort: 9999, protocol: 'TCP' }]);
    expect(app?.volumeMounts).to.deep.equal(daemon?.volumeMounts);
    const own = daemon?.ports.map(({ containerPort }) => containerPort);
    expect(own).to.have.length(2);
    for (const taken of [9999, 9443, 8080, 8081]) expect(own).not.to.include(taken);
    expect(template.spec.shareProcessNamespace).to.equal(true);
    const policy = objects.find(({ kind }) => kind === 'NetworkPolicy');
    expect(JSON.stringify(policy)).to.include('{"port":9999,"protocol":"TCP"}').and.not.to.include('9443');
  });

  it('pulls an image again that has no tag of its own', () => {
    for (const [image, pulls] of [
      ['a', 'Always'],
      ['a:latest', 'Always'],
      ['host:5000/a', 'Always'],
      ['a:1', 'IfNotPresent'],
      ['host:5000/a:1', 'IfNotPresent'],
      ['a@sha256:00', 'IfNotPresent'],
      ['a:latest@sha256:00', 'IfNotPresent'],
    ]) {
      const deployment = manifestsOf([`--image=${image}`]).find(({ object }) => object.kind === 'Deployment');
      expect(JSON.stringify(deployment?.object), image).to.include(`"image":"${image}","imagePullPolicy":"${pulls}"`);
    }
  });

  for (const [args, problem] of [
    [['--name=Orders'], /^NAME="Orders": expected a name/],
    [
      ['--pod-selector=a=b'],
      /^--pod-selector: cannot be given here, the Pods are selected by app.kubernetes.io\/name$/,
    ],
    [['--pod-namespace=x'], /^--pod-namespace: cannot be given here, use --namespace$/],
    [['--mode=proxy'], /^--mode="proxy": expected one of handler, upstream, serving$/],
    [
      ['--with=policy,polcy'],
      /^--with="policy,polcy": expected one of policy, monitoring, network-policy; "polcy" is not$/,
    ],
    [
      ['--mode=handler', '--upstream-url=http://127.0.0.1:1'],
      /expected exactly one of WEBHOOK_HANDLER, UPSTREAM_URL and SERVING_ADDRESS$/,
    ],
    [
      ['--upstream-url=unix:/run/app.sock'],
      /^UPSTREAM_URL: expected an address on 127.0.0.1, because the containers share/,
    ],
    [['--serving-address=unix:/run/app.sock'], /^SERVING_ADDRESS: expected an address on 127.0.0.1/],
    [['--cert-validity=soon'], /^CERT_VALIDITY="soon"/],
    [['--replicas=0'], /^--replicas="0": expected a whole number/],
  ] as const)
    it(`refuses ${args.join(' ')} with one problem`, () => {
      expect(() => manifestsOf(args))
        .to.throw(Error)
        .with.property('message')
        .that.matches(problem);
    });
});
