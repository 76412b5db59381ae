import { expect } from 'chai';
import type { Backend } from '../../src/check/cluster-backends.ts';
import { configFindings } from '../../src/check/cluster-config-findings.ts';
import { type Finding, finding } from '../../src/check/cluster-finding.ts';
import type { SurveyedHook } from '../../src/check/cluster-survey.ts';
import type { GetResult } from '../../src/check/get.ts';
import type { Labels } from '../../src/check/matching.ts';
import { type GivenHook, hookOf, hooksIn, surveyedOf } from './surveyed.ts';

const contentionOf = (given: GivenHook): string | null => {
  const [first = null, ...others] = configFindings(surveyedOf(hookOf(given)));
  expect(others).to.deep.equal([]);
  if (first !== null) expect(first).to.include({ id: 'two-managers', severity: 'warn' });
  return first?.detail ?? null;
};

const OWN_NAME: Labels = { 'kubernetes.io/metadata.name': 'ns' };
const there = <T>(value: T): GetResult<T> => ({ state: 'there', value });
type BackendPods = Extract<Backend['pods'], { readonly state: 'there' }>['value'];

const CERT_MANAGER = { 'cert-manager.io/inject-ca-from': 'ns/certificate' };
const SERVICE_CA = { 'service.beta.openshift.io/inject-cabundle': 'true' };

describe('two managers of one caBundle are found', () => {
  it('where two field managers own it', () => {
    expect(contentionOf({ managers: ['helm', 'operator'] })).to.contain('operator, helm are recorded as managers');
  });

  it('where two field managers own that of a conversion', () => {
    expect(contentionOf({ managers: ['helm', 'operator'], kind: 'conversion' })).to.contain('operator, helm');
  });

  it('where annotations ask two injectors', () => {
    expect(contentionOf({ annotations: { ...CERT_MANAGER, ...SERVICE_CA } })).to.equal(
      'cert-manager.io/inject-ca-from and service.beta.openshift.io/inject-cabundle ask two injectors for it',
    );
  });

  it('where one is asked and another wrote it', () => {
    const given = { managers: ['kube-webhook-certgen'], annotations: CERT_MANAGER };
    expect(contentionOf(given)).to.equal(
      'annotation cert-manager.io/inject-ca-from asks cert-manager for it, but kube-webhook-certgen wrote it last',
    );
  });

  it('where the next kubectl apply would write another one', () => {
    const next = 'the next apply puts it back';
    expect(contentionOf({ applied: 'b' })).to.equal(`the last kubectl apply wrote another caBundle; ${next}`);
    expect(contentionOf({ applied: '\n', managers: ['cainjector'] })).to.equal(
      `the last kubectl apply wrote an empty placeholder, cainjector replaced it; ${next}`,
    );
  });

  it('with the command that shows who wrote what', () => {
    const [found] = configFindings(surveyedOf({ ...hookOf({ managers: ['helm', 'operator'] }) }));
    expect(found?.remedy).to.equal(
      'kubectl get validatingwebhookconfiguration configuration -o yaml --show-managed-fields',
    );
  });
});

describe('two managers of one caBundle are not found', () => {
  it('where the injector that is asked wrote it', () => {
    for (const manager of ['cainjector', 'cert-manager-cainjector'])
      expect(contentionOf({ managers: [manager], annotations: CERT_MANAGER }), manager).to.equal(null);
    expect(contentionOf({ managers: ['service-ca-operator'], annotations: SERVICE_CA })).to.equal(null);
  });

  it('where the writer is not known, or nobody wrote it', () => {
    expect(contentionOf({ managers: ['Go-http-client'], annotations: CERT_MANAGER })).to.equal(null);
    expect(contentionOf({ annotations: CERT_MANAGER })).to.equal(null);
  });

  it('where no injector is asked', () => {
    expect(contentionOf({ managers: ['helm'] })).to.equal(null);
    expect(contentionOf({})).to.equal(null);
  });

  it('where an annotation says false', () => {
    const annotations = { ...CERT_MANAGER, 'service.beta.openshift.io/inject-cabundle': 'false' };
    expect(contentionOf({ managers: ['cainjector'], annotations })).to.equal(null);
  });

  it('where the applied manifest has no caBundle, or the same, or the object has none any more', () => {
    expect(contentionOf({ applied: '' })).to.equal(null);
    expect(contentionOf({ applied: 'a' })).to.equal(null);
    expect(contentionOf({ applied: 'a', caBundle: '' })).to.equal(null);
    expect(contentionOf({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{' } })).to.equal(null);
  });
});

describe('an aggregated API whose certificate is not verified is found', () => {
  const hooksOf = hooksIn('apiservices');
  const found = (insecureSkipTLSVerify?: boolean): readonly Finding[] => {
    const spec = { service: { name: 'svc', namespace: 'ns' }, insecureSkipTLSVerify };
    return configFindings(surveyedOf(hooksOf({ metadata: { name: 'v1.example.com' }, spec })[0]!));
  };

  it('with the command that has it verified', () => {
    expect(found(true)).to.deep.equal([
      finding(
        'verification-skipped',
        'warn',
        'insecureSkipTLSVerify is true: any server at the address of the Service is trusted',
        'kubectl patch apiservice v1.example.com --type=json -p ' +
          `'[{"op":"remove","path":"/spec/insecureSkipTLSVerify"},` +
          `{"op":"add","path":"/spec/caBundle","value":"BASE64_OF_THE_CA"}]'`,
      ),
    ]);
  });

  it('where the object says so, and nowhere else', () => {
    expect(found(false)).to.deep.equal([]);
    expect(found()).to.deep.equal([]);
  });
});

describe('a webhook that can block its own repair', () => {
  const hooksOf = hooksIn('validatingwebhookconfigurations');
  const rule = (apiGroup: string, resource: string, operation = '*') => ({
    operations: [operation],
    apiGroups: [apiGroup],
    apiVersions: ['v1'],
    resources: [resource],
  });
  const EVERYTHING = rule('*', '*');

  /** The only finding about the second webhook of an object; null when there is none. */
  const found = (webhook: object, rest: Partial<SurveyedHook> = {}, labels: Labels = OWN_NAME): Finding | null => {
    const service = { name: 'svc', namespace: 'ns' };
    const standard = { name: 'b.example.com', clientConfig: { service }, rules: [EVERYTHING] };
    const object = { metadata: { name: 'all' }, webhooks: [{ name: 'a.example.com' }, { ...standard, ...webhook }] };
    const surveyed = { ...surveyedOf(hooksOf(object)[1]!), namespaceLabels: there(labels), ...rest };
    const [first = null, ...others] = configFindings(surveyed);
    expect(others).to.deep.equal([]);
    if (first !== null) expect(first.id).to.equal('blocks-own-repair');
    return first;
  };
  const kinds = (...given: Parameters<typeof found>): string | null =>
    /match (.*) in its own namespace ns/.exec(found(...given)?.detail ?? '')?.[1] ?? null;
  const backendOf = (...pods: readonly Labels[]): Backend => ({
    reference: { name: 'svc', namespace: 'ns', port: 443 },
    service: { state: 'absent', why: '' },
    endpoints: there([]),
    pods: there(pods.map((labels) => ({ labels }) as unknown as BackendPods[number])),
  });

  it('is found with what it blocks, and the command that excludes its namespace', () => {
    const patch = [
      {
        op: 'test',
        path: '/webhooks/1/rules',
        value: [{ ...EVERYTHING, scope: '*' }],
      },
      {
        op: 'add',
        path: '/webhooks/1/namespaceSelector',
        value: {
          matchLabels: {},
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['ns'] }],
        },
      },
    ];
    expect(found({})).to.deep.equal(
      finding(
        'blocks-own-repair',
        'warn',
        'failurePolicy is Fail, and its rules match Pods, Secrets, Leases in its own namespace ns',
        `kubectl patch validatingwebhookconfiguration all --type=json -p '${JSON.stringify(patch)}'`,
      ),
    );
  });

  it('is excluded by the name of its namespace, which is set where it is missing', () => {
    expect(found({}, {}, {})?.remedy).to.match(
      /^kubectl label namespace ns kubernetes\.io\/metadata\.name=ns && kubectl patch /,
    );
  });

  it('may exclude what it blocks by its conditions', () => {
    expect(found({ matchConditions: [{}] })?.detail).to.match(
      / in its own namespace ns, unless its matchConditions exclude them$/,
    );
  });

  it('blocks the creation of Pods, and updates of Secrets and Leases', () => {
    for (const [given, blocked] of [
      [rule('', 'pods', 'CREATE'), 'Pods'],
      [rule('', 'pods', 'UPDATE'), null],
      [rule('', 'pods/status'), null],
      [rule('', 'secrets', 'UPDATE'), 'Secrets'],
      [rule('', 'secrets', 'CREATE'), null],
      [rule('coordination.k8s.io', 'leases', 'UPDATE'), 'Leases'],
      [rule('coordination.k8s.io', 'leases', 'CREATE'), null],
      [rule('', 'leases'), null],
      [rule('apps', '*'), null],
    ] as const)
      expect(kinds({ rules: [rule('apps', 'deployments'), given] }), JSON.stringify(given)).to.equal(blocked);
    expect(kinds({ rules: undefined })).to.equal(null);
  });

  it('blocks what its objectSelector matches for certain: labels of Secrets and Leases are not known', () => {
    const objectSelector = { matchLabels: { app: 'web' } };
    const unlabelled = { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] };
    expect(kinds({ objectSelector }, { backend: backendOf({ app: 'web' }, {}) })).to.equal('Pods');
    expect(kinds({ objectSelector }, { backend: backendOf({ app: 'api' }, { app: 'web' }) })).to.equal(null);
    expect(kinds({ objectSelector: unlabelled }, { backend: backendOf({}) })).to.equal('Pods');
    for (const backend of [null, backendOf(), { ...backendOf(), pods: { state: 'failed', why: '' } } as const])
      expect(kinds({ objectSelector: unlabelled }, { backend })).to.equal(null);
  });

  it('blocks only where its namespaceSelector matches', () => {
    const namespaceSelector = { matchLabels: { team: 'a' } };
    expect(kinds({ namespaceSelector }, {}, { ...OWN_NAME, team: 'a' })).to.equal('Pods, Secrets, Leases');
    expect(kinds({ namespaceSelector })).to.equal(null);
  });

  it('is not guessed where the labels of its namespace cannot be read', () => {
    expect(found({}, { namespaceLabels: { state: 'forbidden', why: '' } })).to.equal(null);
    expect(found({}, { namespaceLabels: null })).to.equal(null);
  });

  it('blocks nothing where failurePolicy is Ignore, or its server is not in the cluster', () => {
    expect(found({ failurePolicy: 'Ignore' })).to.equal(null);
    expect(found({ failurePolicy: 'Fail' })).not.to.equal(null);
    expect(found({ clientConfig: { url: 'https://example.com' } })).to.equal(null);
  });

  it('is none of the conversions', () => {
    const surveyed = surveyedOf(hookOf({ kind: 'conversion' }));
    expect(configFindings({ ...surveyed, namespaceLabels: there({}) })).to.deep.equal([]);
  });
});
