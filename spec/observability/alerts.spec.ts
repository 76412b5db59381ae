import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { dump } from 'js-yaml';
import { type AlertRule, monitoring } from '../manifests/monitoring.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { promtool } from './promtool.ts';

describe('the alerts, as promtool sees them', () => {
  const TESTS = join(import.meta.dirname, 'alerts.test.yaml');

  const test = async (rules: readonly AlertRule[]): Promise<Awaited<ReturnType<typeof promtool>>> => {
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'webhook-certd', rules }] }));
    await copyFile(TESTS, join(folder.path, 'tests.yaml'));
    return await promtool(['test', 'rules', join(folder.path, 'tests.yaml')]);
  };

  it('are rules that Prometheus takes', async () => {
    await using folder = await temporaryDirectory();
    const file = join(folder.path, 'rules.yaml');
    await writeFile(file, dump(monitoring.ruleFile));
    const { code, said } = await promtool(['check', 'rules', '--lint-fatal', file]);
    expect(said).to.include(`SUCCESS: ${monitoring.rules.length} rules found`);
    expect(code).to.equal(0);
  });

  it('fire when they must, not earlier, and for no other series', async () => {
    const { code, said } = await test(monitoring.rules);
    expect(said).to.include('SUCCESS');
    expect(code).to.equal(0);
  });

  for (const { alert } of monitoring.rules)
    it(`would be missed: without ${alert} the tests fail`, async () => {
      const { code } = await test(monitoring.rules.filter((rule) => rule.alert !== alert));
      expect(code).to.equal(1);
    });

  it('have a dashboard beside them whose every question Prometheus understands', async () => {
    await using folder = await temporaryDirectory();
    const questions = monitoring.dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const rules = questions.map((expr, at) => ({
      record: `question:${at}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    }));
    const file = join(folder.path, 'rules.yaml');
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { said } = await promtool(['check', 'rules', '--lint=none', file]);
    expect(said).to.include(`SUCCESS: ${questions.length} rules found`);
  });
});
