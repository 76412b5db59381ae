import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { FINDINGS } from '../../src/check/cluster-finding.ts';
import { clusterGauges } from '../../src/check/cluster-metrics.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the documents of check --cluster', () => {
  it('explain every finding, and no other', () => {
    const [, findings = ''] = /\n## Findings\n([^]*)$/.exec(read('docs/guides/cluster-check.md')) ?? [];
    const headings = [...findings.matchAll(/^### (\S+)$/gm)].map(([, id]) => id);
    expect(headings).to.have.members(Object.keys(FINDINGS));
  });

  it('list every metric, and no other', () => {
    const report = {
      server: '',
      version: '',
      nowMs: 0,
      warnBeforeMs: 0,
      hooks: [],
      calendar: [],
      unreadable: [],
      counts: { fail: 0, warn: 0, ok: 0, unknown: 0 },
    };
    const [, section = ''] = /\n### Metrics of `check --cluster`\n([^]*?)\n## /.exec(read('docs/contract.md')) ?? [];
    const listed = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(listed).to.have.members(clusterGauges(report).map(({ name }) => name));
  });
});
