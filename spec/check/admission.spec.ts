import { expect } from 'chai';
import { checkAdmission } from '../../src/check/check-admission.ts';
import { inspectPod } from '../../src/check/inspect-pod.ts';
import { inspectTarget } from '../../src/check/inspect-target.ts';
import type { Labels } from '../../src/check/matching.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';
const NAME = 'validatingwebhookconfiguration/all cannot block its own repair';

const rule = (apiGroup: string, resource: string, operation = '*') => ({
  operations: [operation],
  apiGroups: [apiGroup],
  apiVersions: ['*'],
  resources: [resource],
});

interface Given {
  /** Null where they cannot be read. */
  readonly namespaceLabels?: Labels | null;
  /** Of the only Pod; null where there is none. */
  readonly pod?: Labels | null;
  /** Of Lease and Secret; null where there is none. */
  readonly lease?: Labels | null;
  readonly secret?: Labels | null;
}

const there = (labels: Labels | null) =>
  labels === null ? { state: 'absent', why: '' } : { state: 'there', value: { labels } };

describe('check of a webhook that may block its own repair', () => {
  const results = (webhooks: readonly object[], given: Given = {}): readonly CheckResult[] => {
    const { namespaceLabels = { [NAME_LABEL]: 'hooks' }, pod = {}, lease = {}, secret = {} } = given;
    const value = inspectTarget('validatingwebhookconfiguration')({
      metadata: { resourceVersion: '1' },
      webhooks: webhooks.map((each, at) => ({ name: String(at), clientConfig: {}, ...each })),
    });
    const read = inspectPod('p', 'certs');
    const spec = { nodeName: 'n', containers: [] };
    return checkAdmission({
      config: { namespace: 'hooks' },
      nowMs: 0,
      pods: { state: 'there', value: pod === null ? [] : [read({ metadata: { name: 'web-0', labels: pod }, spec })] },
      lease: there(lease),
      secret: there(secret),
      namespaceLabels:
        namespaceLabels === null ? { state: 'forbidden', why: '' } : { state: 'there', value: namespaceLabels },
      targets: [
        { path: { id: 'x/absent' }, object: { state: 'absent', why: '' } },
        {
          path: { id: 'validatingwebhookconfiguration/all', type: 'validatingwebhookconfiguration', name: 'all' },
          object: { state: 'there', value },
        },
      ],
    } as unknown as ClusterSnapshot);
  };
  const texts = (...given: Parameters<typeof results>): readonly string[] =>
    results(...given).map(({ status, name, detail }) => `${status}: ${name}: ${detail}`);
  /** What the webhooks may block; null when that is nothing. */
  const kinds = (webhook: object, given?: Given): string | null =>
    /^warn: .* match (.*) of its own namespace hooks$/.exec(texts([webhook], given)[0] ?? '')?.[1] ?? null;

  const OK = [`ok: ${NAME}: `];

  it('is content with a webhook for other objects, and silent about an object without one', () => {
    expect(texts([{ rules: [rule('apps', '*')] }])).to.deep.equal(OK);
    expect(texts([{}])).to.deep.equal(OK);
    expect(texts([])).to.deep.equal([]);
  });

  for (const [what, given, blocked] of [
    ['created Secrets', rule('', 'secrets', 'CREATE'), 'Secrets'],
    ['changed Secrets', rule('', 'secrets', 'UPDATE'), 'Secrets'],
    ['deleted Secrets', rule('', 'secrets', 'DELETE'), null],
    ['created Leases', rule('coordination.k8s.io', 'leases', 'CREATE'), 'Leases'],
    ['changed Leases', rule('coordination.k8s.io', 'leases', 'UPDATE'), 'Leases'],
    ['Leases of another group', rule('', 'leases'), null],
    ['created Pods', rule('', 'pods', 'CREATE'), 'Pods'],
    ['deleted Pods', rule('', 'pods', 'DELETE'), 'Pods'],
    ['changed Pods', rule('', 'pods', 'UPDATE'), null],
    ['the status of Pods', rule('', 'pods/status', 'UPDATE'), 'Pods'],
    ['the status of created Pods', rule('', 'pods/status', 'CREATE'), null],
    ['everything', rule('*', '*'), 'Secrets, Leases, Pods'],
    ['Pods among others', { ...rule('', 'pods', 'CREATE'), resources: ['services', 'pods'] }, 'Pods'],
  ] as const)
    it(`${blocked === null ? 'is content with' : 'finds'} one that is asked about ${what}`, () => {
      expect(kinds({ rules: [rule('apps', '*'), given] })).to.equal(blocked);
    });

  it('is content with one that does not block: failurePolicy is Ignore', () => {
    expect(texts([{ rules: [rule('*', '*')], failurePolicy: 'Ignore' }])).to.deep.equal(OK);
  });

  it('follows objectSelector by the labels of Secret, Lease and Pod; an object that is not there has none', () => {
    const webhook = { rules: [rule('*', '*')], objectSelector: { matchLabels: { app: 'web' } } };
    const app = { app: 'web' };
    expect(kinds(webhook)).to.equal(null);
    expect(kinds(webhook, { secret: app })).to.equal('Secrets');
    expect(kinds(webhook, { lease: app })).to.equal('Leases');
    expect(kinds(webhook, { pod: app })).to.equal('Pods');
    expect(kinds(webhook, { secret: null, lease: null, pod: null })).to.equal(null);
    const without = { ...webhook, objectSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } };
    expect(kinds(without, { secret: null, lease: null, pod: null })).to.equal('Secrets, Leases, Pods');
  });

  it('follows namespaceSelector, and says where that depends on labels that cannot be read', () => {
    const excluded = { matchExpressions: [{ key: NAME_LABEL, operator: 'NotIn', values: ['hooks'] }] };
    const labelled = { matchLabels: { team: 'a' } };
    const webhook = (namespaceSelector: object) => [{ rules: [rule('', 'pods')], namespaceSelector }];
    expect(texts(webhook(excluded))).to.deep.equal(OK);
    expect(texts(webhook(excluded), { namespaceLabels: null })).to.deep.equal(OK);
    expect(texts(webhook(labelled))).to.deep.equal(OK);
    expect(texts(webhook(labelled), { namespaceLabels: null })).to.deep.equal([
      `skipped: ${NAME}: depends on labels of namespace hooks, which are not readable with these permissions`,
    ]);
  });

  it('names everything that the webhooks block once, and excludes the namespace from those that do', () => {
    const selector = { matchLabels: {}, matchExpressions: [{ key: 'team', operator: 'Exists', values: [] }] };
    const [pods, secrets] = [rule('', 'pods'), rule('', 'secrets')].map((each) => ({ ...each, scope: '*' }));
    const exclusion = { key: NAME_LABEL, operator: 'NotIn', values: ['hooks'] };
    const patch = [
      { op: 'test', path: '/webhooks/1/rules', value: [pods, secrets] },
      { op: 'add', path: '/webhooks/1/namespaceSelector', value: { matchLabels: {}, matchExpressions: [exclusion] } },
      { op: 'test', path: '/webhooks/2/rules', value: [pods] },
      {
        op: 'add',
        path: '/webhooks/2/namespaceSelector',
        value: { ...selector, matchExpressions: [...selector.matchExpressions, exclusion] },
      },
    ];
    const found = results(
      [
        { rules: [rule('apps', '*')] },
        { rules: [pods, secrets] },
        { rules: [pods], namespaceSelector: selector },
        { rules: [pods], namespaceSelector: { matchLabels: { team: 'other' } } },
      ],
      { namespaceLabels: { [NAME_LABEL]: 'hooks', team: 'a' } },
    );
    expect(found).to.deep.equal([
      {
        name: NAME,
        status: 'warn',
        detail: 'failurePolicy is Fail, and its rules match Secrets, Pods of its own namespace hooks',
        remedy: `kubectl patch validatingwebhookconfiguration all --type=json -p '${JSON.stringify(patch)}'`,
      },
    ]);
  });

  it('labels a namespace that is known to lack its name', () => {
    const remedy = (namespaceLabels: Labels | null): string | null | undefined =>
      results([{ rules: [rule('', 'pods')] }], { namespaceLabels })[0]?.remedy;
    expect(remedy({})).to.match(new RegExp(`^kubectl label namespace hooks ${NAME_LABEL}=hooks && kubectl patch `));
    expect(remedy({ [NAME_LABEL]: 'other' })).to.match(/^kubectl label /);
    expect(remedy(null)).to.match(/^kubectl patch /);
  });

  it('says that matchConditions may exclude what is blocked, where all of the webhooks have them', () => {
    const plain = { rules: [rule('', 'pods')] };
    const conditional = { ...plain, matchConditions: [{}] };
    const unless = /, unless its matchConditions exclude them$/;
    expect(texts([conditional])[0]).to.match(unless);
    expect(texts([conditional, plain])[0]).not.to.match(unless);
  });
});
