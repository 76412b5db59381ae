import { expect } from 'chai';
import { shellQuote } from '../../src/check/kubectl.ts';
import { type Check, reportJson, reportText, withKubectl } from '../../src/check/report.ts';
import { fail, ok, skipped, warn } from '../../src/check/result.ts';

const checks: readonly Check[] = [
  { category: 'election', ...ok('Lease exists', 'lease') },
  {
    category: 'election',
    ...fail('Lease is renewed', 'no renewal in 75 s', 'kubectl rollout restart deployment/webhook -n ns'),
  },
  { category: 'mounts', ...skipped('CERT_DIR is mounted', 'this is no replica') },
  { category: 'mounts', ...warn('replica webhook-0 mounts the Secret', 'slowly', 'kubectl get pods -n ns') },
];

describe('the report of check', () => {
  it('is a line a check below its category, followed by problem and remedy', () => {
    expect(reportText(checks, false)).to.equal(
      [
        'election',
        '  ✔ Lease exists  lease',
        '  ✘ Lease is renewed',
        '      no renewal in 75 s',
        '      kubectl rollout restart deployment/webhook -n ns',
        '',
        'mounts',
        '  - CERT_DIR is mounted  this is no replica',
        '  ⚠ replica webhook-0 mounts the Secret',
        '      slowly',
        '      kubectl get pods -n ns',
        '',
        '✘ 1 failure, 1 warning, 1 ok, 1 skipped',
      ].join('\n'),
    );
  });

  it('aligns the details of a category, but not to a name that is long, has none, or has a remedy', () => {
    const named = (length: number, detail: string): Check => ({ category: 'names', ...ok('n'.repeat(length), detail) });
    const bad: Check = { category: 'names', ...warn('w'.repeat(50), 'slow', 'kubectl get pods') };
    const lines = (...given: readonly Check[]): readonly string[] => reportText(given, false).split('\n').slice(1, -2);
    expect(lines(named(3, 'a'), named(5, 'b'), named(9, ''))).to.deep.equal([
      '  ✔ nnn    a',
      '  ✔ nnnnn  b',
      '  ✔ nnnnnnnnn',
    ]);
    expect(lines(named(3, 'a'), bad)[0]).to.equal('  ✔ nnn  a');
    expect(lines(named(3, 'a'), named(64, 'b'))[0]).to.equal(`  ✔ nnn${' '.repeat(61)}  a`);
    expect(lines(named(3, 'a'), named(65, 'b'))[0]).to.equal('  ✔ nnn  a');
  });

  it('ends with its counts, and with the mark of the worst', () => {
    const [good, failure, skip, warning] = checks;
    const last = (...given: readonly (Check | undefined)[]): string =>
      reportText(
        given.flatMap((each) => each ?? []),
        false,
      )
        .split('\n')
        .at(-1) ?? '';
    expect(last(good)).to.equal('✔ 1 ok');
    expect(last(skip)).to.equal('✔ 0 ok, 1 skipped');
    expect(last(good, warning)).to.equal('⚠ 1 warning, 1 ok');
    expect(last(failure, warning)).to.equal('✘ 1 failure, 1 warning, 0 ok');
    expect(last(...checks, ...checks)).to.equal('✘ 2 failures, 2 warnings, 2 ok, 2 skipped');
  });

  it('says the same with colours', () => {
    expect(reportText(checks, true).replaceAll(/\u001b\[\d+m/g, '')).to.equal(reportText(checks, false));
    expect(reportText(checks, true)).to.include('\u001b[31m✘\u001b[0m');
  });

  it('tells a terminal nothing that came from outside', () => {
    const odd = [{ category: 'caBundles', ...warn('name', 'CN=\u001b[2Jevil\n✔ fine', 'kubectl get pods') }];
    expect(reportText(odd, false)).to.include('      CN=\ufffd[2Jevil\ufffd✔ fine\n');
  });

  it('is one document as JSON, not ok when something failed', () => {
    const said = JSON.parse(reportJson(checks)) as { readonly ok: boolean; readonly checks: readonly object[] };
    expect(said.ok).to.equal(false);
    expect(said.checks).to.deep.equal(checks);
    expect(Object.keys(said.checks[0]!)).to.deep.equal(['category', 'name', 'status', 'detail', 'remedy']);
    expect(JSON.parse(reportJson(checks.filter(({ status }) => status !== 'fail')))).to.include({ ok: true });
  });

  it('has kubectl speak to the cluster that was checked where the shell speaks to another', () => {
    const called = [fail('', '', 'CA=$(kubectl get x) && kubectl patch y')];
    expect(withKubectl(called, 'KUBECONFIG=/k kubectl')[0]?.remedy).to.equal(
      'CA=$(KUBECONFIG=/k kubectl get x) && KUBECONFIG=/k kubectl patch y',
    );
    expect(withKubectl(called, "kubectl --context='a b'")[0]?.remedy).to.equal(
      "CA=$(kubectl --context='a b' get x) && kubectl --context='a b' patch y",
    );
    expect(withKubectl([ok('', '')], 'KUBECONFIG=/k kubectl')).to.deep.equal([ok('', '')]);
    expect(withKubectl(checks, 'kubectl')).to.equal(checks);
  });

  it('quotes for a shell what a shell would read', () => {
    expect(shellQuote('8377a775.my.company.com')).to.equal('8377a775.my.company.com');
    expect(shellQuote('a in (b,c)')).to.equal("'a in (b,c)'");
    expect(shellQuote("it's")).to.equal(String.raw`'it'\''s'`);
    expect(shellQuote('$(rm)')).to.equal("'$(rm)'");
    expect(shellQuote('')).to.equal("''");
  });
});
