import { expect } from 'chai';
import { ruleMatches } from '../../src/check/check-admission.ts';
import { type LabelSelector, selectorMatches } from '../../src/check/matching.ts';

const labels = { app: 'webhook', tier: 'a' };

const selector = (key: string, operator: string, ...values: readonly string[]): LabelSelector => ({
  matchLabels: {},
  matchExpressions: [{ key, operator, values }],
});

describe('what a webhook is asked about', () => {
  it('follows label selectors as the API server reads them', () => {
    const matches = (given: LabelSelector) => selectorMatches(given, { labels, complete: true });
    expect(matches({ matchLabels: {}, matchExpressions: [] })).to.equal(true);
    expect(matches({ matchLabels: { app: 'webhook' }, matchExpressions: [] })).to.equal(true);
    expect(matches({ matchLabels: { app: 'other' }, matchExpressions: [] })).to.equal(false);
    expect(matches(selector('tier', 'In', 'a', 'b'))).to.equal(true);
    expect(matches(selector('tier', 'NotIn', 'a', 'b'))).to.equal(false);
    expect(matches(selector('tier', 'NotIn', 'b'))).to.equal(true);
    expect(matches(selector('none', 'NotIn', 'a'))).to.equal(true);
    expect(matches(selector('none', 'In', 'a'))).to.equal(false);
    expect(matches(selector('app', 'Exists'))).to.equal(true);
    expect(matches(selector('none', 'Exists'))).to.equal(false);
    expect(matches(selector('app', 'DoesNotExist'))).to.equal(false);
    expect(matches(selector('none', 'DoesNotExist'))).to.equal(true);
    expect(matches(selector('app', 'Gt', 'webhook'))).to.equal(false);
  });

  it('leaves open what hangs on an unknown label, unless a known one settles it', () => {
    const matches = (given: LabelSelector) => selectorMatches(given, { labels, complete: false });
    expect(matches(selector('none', 'DoesNotExist'))).to.equal(null);
    expect(matches({ ...selector('none', 'Exists'), matchLabels: { app: 'webhook' } })).to.equal(null);
    expect(matches({ ...selector('none', 'Exists'), matchLabels: { app: 'other' } })).to.equal(false);
  });

  it('follows rules and their wildcards as the API server reads them', () => {
    const rule = { operations: ['UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' };
    const status = { operation: 'UPDATE', apiGroup: '', resource: 'pods', subresource: 'status' };
    const pod = { ...status, subresource: '' };
    expect(ruleMatches(rule, pod)).to.equal(true);
    expect(ruleMatches(rule, status)).to.equal(false);
    expect(ruleMatches({ ...rule, resources: ['*'] }, status)).to.equal(false);
    expect(ruleMatches({ ...rule, resources: ['*/*'] }, status)).to.equal(true);
    expect(ruleMatches({ ...rule, resources: ['pods/*'] }, status)).to.equal(true);
    expect(ruleMatches({ ...rule, resources: ['*/status'] }, status)).to.equal(true);
    expect(ruleMatches({ ...rule, operations: ['*'], apiGroups: ['*'], apiVersions: ['*'] }, pod)).to.equal(true);
    expect(ruleMatches({ ...rule, operations: ['CREATE'] }, pod)).to.equal(false);
    expect(ruleMatches({ ...rule, apiGroups: ['apps'] }, pod)).to.equal(false);
    expect(ruleMatches({ ...rule, apiVersions: ['v1beta1'] }, pod)).to.equal(false);
    expect(ruleMatches({ ...rule, scope: 'Cluster' }, pod)).to.equal(false);
  });
});
