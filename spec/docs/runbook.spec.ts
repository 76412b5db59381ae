import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { REPOSITORY } from '../../src/config/version.ts';
import { type AlertRule, monitoring } from '../manifests/monitoring.ts';
import { only, resources } from '../manifests/rendered.ts';

const PATH = 'docs/runbook.md';
const text = readFileSync(new URL(`../../${PATH}`, import.meta.url), 'utf8');

const ofCheck = only(resources('cluster-check-monitoring'), 'PrometheusRule').at(
  'spec',
  'groups',
  0,
  'rules',
) as unknown as readonly AlertRule[];
const alerts = [...monitoring.rules, ...ofCheck];

describe('the runbook', () => {
  it('has a section for every alert, and for no other', () => {
    const headings = [...text.matchAll(/^#{2,3} (\w+)$/gm)].map(([, heading]) => heading);
    expect(headings).to.have.members(alerts.map(({ alert }) => alert));
  });

  it('says in each section what the alert means, and what to look at or to do', () => {
    for (const { alert } of alerts) {
      const [, section = ''] = new RegExp(`\\n#{2,3} ${alert}\\n([^]*?)(?=\\n#|$)`).exec(text) ?? [];
      expect(section, alert).to.include('**Meaning.**');
      expect(section, alert).to.match(/\*\*(?:Look at|What to do)\.\*\*/);
    }
  });

  for (const { alert, annotations } of alerts)
    it(`is where ${alert} leads to`, () => {
      expect(annotations['runbook_url']).to.equal(`${REPOSITORY}/blob/main/${PATH}#${alert.toLowerCase()}`);
    });
});
