import { expect } from 'chai';
import {
  type ConfigMaps,
  configMapsOf,
  deviatingFields,
  type PodReading,
  type PodSettings,
  podSettings,
  podSpec,
} from '../../src/check/pod-settings.ts';
import { settings } from '../../src/config/variables.ts';
import { configOf } from './snapshot-of.ts';

type Container = Readonly<Record<string, unknown>>;

const METADATA = { name: 'web-0', namespace: 'hooks' } as const;
const IMAGE = 'registry.example.com/webhook-certd:0.1.0';

const podOf = (containers: readonly Container[], initContainers?: readonly Container[]) =>
  podSpec({ metadata: METADATA, spec: { containers, initContainers } });

const readingOf = (container: Container, configMaps: ConfigMaps = new Map()): PodReading | null =>
  podSettings(podOf([container]), configMaps);

const settingsOf = (...given: Parameters<typeof readingOf>): PodSettings => {
  const reading = readingOf(...given);
  if (reading === null || !('config' in reading)) throw new Error(JSON.stringify(reading));
  return reading;
};

const literal = (env: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(env).map(([name, value]) => ({ name, value }));

/** The Lease that a container of this program is told, or what holds its name. */
const leaseOf = (container: Container, configMaps: ConfigMaps = new Map()): string => {
  const { config, unread } = settingsOf({ image: IMAGE, ...container }, configMaps);
  return unread.get('leaseName') ?? config.leaseName;
};

describe('a Pod whose settings are read', () => {
  it('is what its object says', () => {
    const [one, two] = [{ image: 'a' }, { image: 'b' }];
    const spec = { containers: [one], initContainers: [two] };
    const metadata = { ...METADATA, labels: { a: 'b' }, creationTimestamp: '2026-01-02T03:04:05Z' };
    expect(podSpec({ metadata, spec, status: { phase: 'Running' } })).to.deep.equal({
      ...METADATA,
      labels: { a: 'b' },
      createdMs: Date.parse('2026-01-02T03:04:05Z'),
      isFinished: false,
      containers: [one, two],
    });
  });

  it('has nothing that its object leaves out', () => {
    const expected = { ...METADATA, labels: {}, createdMs: 0, isFinished: false, containers: [] };
    expect(podSpec({ metadata: METADATA, spec: { containers: [] } })).to.deep.equal(expected);
    expect(
      podSpec({
        metadata: { ...METADATA, labels: null, creationTimestamp: null },
        spec: { containers: [], initContainers: null },
        status: null,
      }),
    ).to.deep.equal(expected);
  });

  it('has finished once its phase says so', () => {
    const isFinished = (phase: string | null) =>
      podSpec({ metadata: METADATA, spec: { containers: [] }, status: { phase } }).isFinished;
    expect(['Pending', 'Running', 'Unknown', null, 'Succeeded', 'Failed'].map(isFinished)).to.deep.equal([
      ...[false, false, false, false],
      ...[true, true],
    ]);
  });

  it('is nothing but a Pod', () => {
    for (const object of [{}, { metadata: METADATA }, { metadata: { name: 'a' }, spec: { containers: [] } }])
      expect(() => podSpec(object)).to.throw();
  });

  it('names each ConfigMap that its containers take variables from, once', () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => ({ name }));
    expect(
      configMapsOf(
        podOf(
          [
            {
              envFrom: [{ configMapRef: one }, { secretRef: three }, { configMapRef: null }, { configMapRef: {} }],
              env: [
                { name: 'A', valueFrom: { configMapKeyRef: { name: 'four', key: 'a' } } },
                { name: 'S', valueFrom: { secretKeyRef: { ...three, key: 'a' } } },
                { name: 'B', value: 'b' },
              ],
            },
            { envFrom: null, env: null },
            {},
          ],
          [{ envFrom: [{ configMapRef: two }] }],
        ),
      ),
    ).to.deep.equal(['one', 'four', 'two']);
  });
});

describe('a container that runs this program', () => {
  it('is told by its image, its command or its arguments', () => {
    for (const container of [
      { image: 'webhook-certd' },
      { image: 'registry:5000/team/webhook-certd:1' },
      { image: 'ghcr.io/team/webhook-certd@sha256:0' },
      { image: 'own', command: ['/usr/local/bin/webhook-certd'] },
      { image: 'own', command: ['webhook-certd', 'serve'] },
      { command: ['node', '/app/webhook-certd.js'] },
      { command: ['node', 'start.cjs'] },
      { command: ['node', '/app/src/main.ts'] },
      { command: ['/bin/tini', '--'], args: ['node', '/app/start.cjs'] },
    ]) {
      const reading = readingOf(container);
      expect(reading, JSON.stringify(container)).to.not.equal(null);
      expect((reading as PodSettings).fields.size).to.equal(settings.length);
    }
  });

  it('is none by a similar name', () => {
    for (const container of [
      {},
      { image: 'webhook-certd-demo' },
      { image: 'my-webhook-certd:1' },
      { image: 'webhook-certd/other' },
      { image: 'own', command: ['node', 'restart.cjs'] },
      { image: 'own', command: ['node', '/app/start.cjs.map'] },
      { image: 'own', command: ['node', '/app/src/main.tsx'] },
      { image: 'own', args: ['webhook-certd-demo'] },
    ])
      expect(readingOf(container), JSON.stringify(container)).to.equal(null);
  });

  it('is the one whose settings count, whichever container has more of its variables', () => {
    const other = { image: 'own', env: literal({ LEASE_NAME: 'other', SECRET_NAME: 'other', SERVICE_NAME: 'other' }) };
    const sidecar = { image: IMAGE, env: literal({ LEASE_NAME: 'orders' }) };
    for (const pod of [podOf([other, sidecar]), podOf([other], [sidecar])])
      expect((podSettings(pod, new Map()) as PodSettings).config.leaseName).to.equal('orders');
  });

  it('is otherwise taken to be the one that has most variables of this program alone', () => {
    const common = {
      image: 'a',
      env: literal({
        NAME: 'a',
        POD_NAME: 'a',
        POD_NAMESPACE: 'a',
        KUBECONFIG: '/a',
        LOG_LEVEL: 'debug',
        LOG_FORMAT: 'json',
        LEASE_NAME: 'a',
      }),
    };
    const one = { image: 'b', env: literal({ SECRET_NAME: 'b' }) };
    const two = { image: 'c', env: literal({ SECRET_NAME: 'c', SERVICE_NAME: 'c', LEASE_DURATION: '90s' }) };
    const secretOf = (...containers: readonly Container[]) =>
      (podSettings(podOf(containers), new Map()) as PodSettings | null)?.config.secretName;
    expect(secretOf(common, one, two)).to.equal('c');
    expect(secretOf(two, one, common)).to.equal('c');
    expect(secretOf(common, one)).to.equal('b');
    expect(secretOf(common)).to.equal(undefined);
    expect(podSettings(podOf([]), new Map())).to.equal(null);
  });

  it('decides on what it sets, where it is taken for one', () => {
    const { fields } = settingsOf({ image: 'own', env: literal({ SECRET_NAME: 'b', LEASE_DURATION: '90s' }) });
    expect([...fields])
      .to.include.members(['secretName', 'leaseDurationMs'])
      .and.not.include('leaseName');
  });
});

describe('the settings of a container', () => {
  it('are those of its variables and flags, a flag before a variable', () => {
    const env = literal({ LEASE_NAME: 'of-env', SECRET_NAME: 'of-env' });
    for (const container of [
      { image: IMAGE, args: ['serve', '--lease-name=of-flag'], env },
      { image: IMAGE, args: ['--lease-name', 'of-flag'], env },
      { image: IMAGE, command: ['node', '/app/start.cjs', 'serve'], args: ['--lease-name=of-flag'], env },
      { image: IMAGE, command: ['webhook-certd', '--lease-name=of-flag'], env },
    ]) {
      const { config, unread, pod } = settingsOf(container);
      expect(config).to.include({ leaseName: 'of-flag', secretName: 'of-env', namespace: 'hooks', identity: 'web-0' });
      expect(unread.size).to.equal(0);
      expect(pod.name).to.equal('web-0');
    }
    expect(leaseOf({ command: ['sh', '-c', 'exec x'], args: ['--lease-name=of-another-program'] })).to.equal(
      leaseOf({}),
    );
    expect(leaseOf({ command: ['tini', '--lease-name=of-tini', '/app/start.cjs'] })).to.equal(leaseOf({}));
    expect(leaseOf({ env: [{ name: 'LEASE_NAME' }] })).to.equal(leaseOf({}));
    expect(leaseOf({ command: null, args: null, env: null, envFrom: null })).to.equal(leaseOf({}));
  });

  it('are those of a ConfigMap, each variable before the whole, a later one before an earlier one', () => {
    const configMaps = new Map([
      ['one', { LEASE_NAME: 'of-one', key: 'of-key' }],
      ['two', { LEASE_NAME: 'of-two', NAME: 'prefixed' }],
    ]);
    const whole = (name: string, prefix?: string) => ({ configMapRef: { name }, prefix });
    const ofKey = { name: 'LEASE_NAME', valueFrom: { configMapKeyRef: { name: 'one', key: 'key' } } };
    expect(leaseOf({ envFrom: [whole('one')] }, configMaps)).to.equal('of-one');
    expect(leaseOf({ envFrom: [whole('one'), whole('two')] }, configMaps)).to.equal('of-two');
    expect(leaseOf({ envFrom: [whole('two', 'LEASE_')] }, configMaps)).to.equal('prefixed');
    expect(leaseOf({ envFrom: [whole('two')], env: [ofKey] }, configMaps)).to.equal('of-key');
    expect(leaseOf({ envFrom: [whole('one')], env: literal({ LEASE_NAME: 'own' }) }, configMaps)).to.equal('own');
  });

  it('are those of the Pod where a field of it is named', () => {
    const of = (fieldPath: string) =>
      leaseOf({ env: [{ name: 'LEASE_NAME', valueFrom: { fieldRef: { fieldPath } } }] });
    expect(of('metadata.name')).to.equal('web-0');
    expect(of('metadata.namespace')).to.equal('hooks');
  });

  it('are not known where they come from what was not read, which is named', () => {
    const from = (valueFrom: object) =>
      leaseOf({ env: [{ name: 'LEASE_NAME', valueFrom }] }, new Map([['gone', null]]));
    expect(from({ secretKeyRef: { name: 'hidden', key: 'lease' } })).to.equal('Secret hidden');
    expect(from({ configMapKeyRef: { name: 'gone', key: 'lease' } })).to.equal('ConfigMap gone');
    expect(from({ configMapKeyRef: { name: 'unknown', key: 'lease' } })).to.equal('ConfigMap unknown');
    expect(from({ fieldRef: { fieldPath: 'status.podIP' } })).to.equal('field status.podIP');
    expect(from({ resourceFieldRef: { resource: 'limits.cpu' } })).to.equal('another source');
    expect(leaseOf({ envFrom: [{ secretRef: { name: 'hidden' } }] })).to.equal('Secret hidden');
    expect(leaseOf({ envFrom: [{ configMapRef: { name: 'gone' } }] }, new Map([['gone', null]]))).to.equal(
      'ConfigMap gone',
    );
  });

  it('are known where what was read counts before what was not', () => {
    const hidden = { secretRef: { name: 'hidden' } };
    const configMaps = new Map([['one', { LEASE_NAME: 'of-one' }]]);
    expect(leaseOf({ envFrom: [hidden], env: literal({ LEASE_NAME: 'own' }) })).to.equal('own');
    expect(leaseOf({ envFrom: [hidden, { configMapRef: { name: 'one' } }] }, configMaps)).to.equal('of-one');
    expect(leaseOf({ envFrom: [{ configMapRef: { name: 'one' } }, hidden] }, configMaps)).to.equal('Secret hidden');
    expect(leaseOf({ envFrom: [{ ...hidden, prefix: 'APP_' }] })).to.equal(leaseOf({}));
    expect(leaseOf({ envFrom: [{ ...hidden, prefix: 'LEASE_' }] })).to.equal('Secret hidden');
    expect(leaseOf({ envFrom: [{ prefix: 'APP_' }] })).to.equal(leaseOf({}));
    expect(leaseOf({ envFrom: [hidden], args: ['--lease-name=of-flag'] })).to.equal('of-flag');
  });

  it('are no fields on which the Pod decides where they are not known', () => {
    const { fields, unread } = settingsOf({
      image: IMAGE,
      env: [{ name: 'SECRET_NAME', valueFrom: { secretKeyRef: { name: 'hidden', key: 'name' } } }],
    });
    expect([...unread]).to.deep.equal([['secretName', 'Secret hidden']]);
    expect(fields.has('secretName')).to.equal(false);
    expect(fields.size).to.equal(settings.length - 1);
  });

  it('have no problem that what was not read may mend', () => {
    const hidden = { name: 'LEASE_DURATION', valueFrom: { secretKeyRef: { name: 'hidden', key: 'duration' } } };
    const { unread } = settingsOf(
      { image: IMAGE, envFrom: [{ configMapRef: { name: 'one' } }], env: [hidden] },
      new Map([['one', { LEASE_DURATION: 'soon' }]]),
    );
    expect([...unread]).to.deep.equal([['leaseDurationMs', 'Secret hidden']]);
  });

  it('have problems where the replica does not start with them', () => {
    const reading = readingOf({ image: IMAGE, env: literal({ LEASE_DURATION: 'soon' }) });
    expect(reading).to.have.all.keys('pod', 'problems');
    expect((reading as { readonly problems: readonly string[] }).problems.join()).to.match(/LEASE_DURATION="soon"/);
  });
});

describe('a reference to a variable', () => {
  it('is expanded as the kubelet does, by the variables before it, in variables and arguments', () => {
    const env = literal({ BASE: 'orders', LEASE_NAME: '$(BASE)-lease', LATER: 'x' });
    expect(leaseOf({ env })).to.equal('orders-lease');
    expect(leaseOf({ env: literal({ LEASE_NAME: 'a-$(BASE)', BASE: 'orders', BASE2: 'x' }).toReversed() })).to.equal(
      'a-orders',
    );
    expect(leaseOf({ env: literal({ 'my.base_1-a': 'b' }), args: ['--lease-name=a-$(my.base_1-a)'] })).to.equal('a-b');
    expect(leaseOf({ env, args: ['--lease-name', '$(LATER)-$(BASE)'] })).to.equal('x-orders');
    const configMaps = new Map([['one', { BASE: 'of-one' }]]);
    expect(
      leaseOf({ envFrom: [{ configMapRef: { name: 'one' } }], env: literal({ LEASE_NAME: '$(BASE)' }) }, configMaps),
    ).to.equal('of-one');
  });

  it('stays as it is where there is no such variable, and after two dollar signs', () => {
    for (const [text, problem] of [
      ['$(NONE)', 'LEASE_NAME="$(NONE)"'],
      ['$$(BASE)', 'LEASE_NAME="$(BASE)"'],
      ['$BASE', 'LEASE_NAME="$BASE"'],
    ] as const) {
      const reading = readingOf({ image: IMAGE, env: literal({ BASE: 'orders', LEASE_NAME: text }) });
      expect((reading as { readonly problems: readonly string[] }).problems[0]).to.include(problem);
    }
  });

  it('is not expanded in what a ConfigMap holds', () => {
    const configMaps = new Map([['one', { lease: '$(BASE)' }]]);
    const valueFrom = { configMapKeyRef: { name: 'one', key: 'lease' } };
    const env = [...literal({ BASE: 'orders' }), { name: 'LEASE_NAME', valueFrom }];
    const reading = readingOf({ image: IMAGE, env }, configMaps);
    expect((reading as { readonly problems: readonly string[] }).problems[0]).to.include('LEASE_NAME="$(BASE)"');
  });

  it('to what was not read leaves the setting unknown, and is no problem of the Pod', () => {
    const hidden = { secretKeyRef: { name: 'hidden', key: 'base' } };
    const env = [
      { name: 'BASE', valueFrom: hidden },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      ...literal({ LEASE_NAME: '$(BASE)-lease', HEALTH_PROBE_BIND_ADDRESS: '$(POD_IP):8081' }),
    ];
    const { unread, config } = settingsOf({ image: IMAGE, env, args: ['--secret-name=$(BASE)', '--service-name=web'] });
    expect([...unread]).to.have.deep.members([
      ['leaseName', 'Secret hidden'],
      ['secretName', 'Secret hidden'],
      ['probeBind', 'field status.podIP'],
    ]);
    expect(config.serviceName).to.equal('web');
  });

  it('may be to anything that a Secret holds as a whole, except to what is set besides', () => {
    const envFrom = [{ secretRef: { name: 'hidden' } }];
    expect(leaseOf({ envFrom, args: ['--lease-name=$(ANY)'] })).to.equal('Secret hidden');
    const { config, unread } = settingsOf({ image: IMAGE, envFrom, args: ['--cert-dir=/certs$$1'] });
    expect([config.certDir, unread.has('certDir')]).to.deep.equal(['/certs$1', false]);
    expect(leaseOf({ envFrom, env: literal({ ANY: 'orders' }), args: ['--lease-name=$(ANY)'] })).to.equal('orders');
  });
});

describe('the fields in which a configuration deviates', () => {
  it('are those that differ from one without any variable, in the same place', () => {
    expect([...deviatingFields(configOf({ POD_NAMESPACE: 'hooks' }))]).to.deep.equal([]);
    expect([
      ...deviatingFields(configOf({ POD_NAMESPACE: 'hooks', LEASE_NAME: 'a', EXTRA_DNS_NAMES: 'b.example.com' })),
    ]).to.deep.equal(['leaseName', 'extraDnsNames']);
  });
});
