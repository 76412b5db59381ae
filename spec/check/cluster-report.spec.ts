import { expect } from 'chai';
import { shortHash } from '../../src/check/cluster-finding.ts';
import type { Hook } from '../../src/check/cluster-hooks.ts';
import { type ClusterReport, isSound, reportCluster, type ReportedHook } from '../../src/check/cluster-report.ts';
import type { Probed, Survey, SurveyedHook } from '../../src/check/cluster-survey.ts';
import { type MadeCa, madeCertificates, type MadeLeaf } from '../support/made-certificates.ts';
import { certificateOf, failed, hookOf, presented, probed, surveyedOf } from './surveyed.ts';

const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const NAME = 'svc.ns.svc';

/** A hook with an id of its own whose endpoint is dialled directly, so that nothing but its certificate is told. */
const hookNamed = (id: string, rest: Partial<Hook> = {}, caBundle = ca.pem): Hook => ({
  ...hookOf({ url: `https://${NAME}`, caBundle }),
  id,
  ...rest,
});
const shows = (pod: string | null, ...chain: readonly { readonly pem: string }[]): Probed =>
  probed(pod, presented('TLSv1.3', chain.map(certificateOf)));
const silent = probed('a', failed('unreachable', 'no answer'));

const reportOf = (hooks: readonly SurveyedHook[], rest: Partial<Survey> = {}, warnBeforeMs = 0): ClusterReport =>
  reportCluster(
    { server: 'https://10.0.0.1', version: 'v1.36.0', nowMs: NOW_MS, unreadable: [], hooks, ...rest },
    {
      warnBeforeMs,
    },
  );
/** The report about one hook. */
const reported = (...given: Parameters<typeof surveyedOf>): ReportedHook => reportOf([surveyedOf(...given)]).hooks[0]!;
const endOf = (made: { readonly pem: string }): number => certificateOf(made).validToDate.getTime();

let ca: MadeCa;
let soon: MadeLeaf;
let late: MadeLeaf;
let expired: MadeLeaf;
before(async () => {
  ca = await madeCertificates.ca('CN=one');
  const leaf = (toDays: number, fromDays = -3) => madeCertificates.leaf({ ca, names: [NAME], fromDays, toDays });
  [soon, late, expired] = await Promise.all([leaf(10), leaf(20), leaf(-1)]);
});

describe('the report about a webhook', () => {
  it('says what is found of its reach, its certificate and its configuration, the worst first', () => {
    const { findings, status } = reportOf(
      [
        surveyedOf(hookNamed('a', { writers: ['helm', 'operator'] }), {
          probes: [probed(null, presented('TLSv1.2', [certificateOf(expired)])), shows('b', soon)],
        }),
      ],
      {},
      11 * DAY_MS,
    ).hooks[0]!;
    expect(findings.map(({ id, severity }) => `${severity} ${id}`)).to.deep.equal([
      'fail expired',
      'warn expires-soon',
      'warn certificates-differ',
      'warn two-managers',
      'note tls-1.2-only',
    ]);
    expect(status).to.equal('fail');
  });

  it('has the status of the worst finding; without one it is fine where a certificate was seen, else unknown', () => {
    expect(reported(hookNamed('a'), { probes: [shows('a', expired)] }).status).to.equal('fail');
    expect(reported(hookNamed('a'), { probes: [silent, shows('a', soon)] }).status).to.equal('warn');
    expect(reported(hookNamed('a'), { probes: [shows('a', soon)] }).status).to.equal('ok');
    const skipped = probed('a', { state: 'skipped', detail: 'no' });
    expect(reported(hookNamed('a'), { probes: [skipped] }).status).to.equal('unknown');
    expect(reported(hookNamed('a'), { probes: [skipped, shows('b', soon)] }).status).to.equal('ok');
  });

  it('says when it fails: now, with the first of its certificates, or not that anything is known', () => {
    const failsAt = (...probes: readonly Probed[]) => reported(hookNamed('a'), { probes }).failsAtMs;
    expect(failsAt(shows('a', late), shows('b', soon))).to.equal(endOf(soon));
    expect(failsAt(shows('a', late), shows('b', expired))).to.equal(NOW_MS);
    expect(failsAt(silent)).to.equal(null);
    const unverified = { skipsVerification: true };
    const { status, failsAtMs } = reported(hookNamed('a', unverified), { probes: [shows('a', soon)] });
    expect({ status, failsAtMs }).to.deep.equal({ status: 'warn', failsAtMs: null });
  });

  it('names its server, and its issuer as the first certificate that was seen tells it', async () => {
    const certgen = await madeCertificates.leaf({ ca: await madeCertificates.ca('O=nil1'), names: [NAME] });
    const { server, issuer, hook } = reported(hookNamed('a'), {
      probes: [silent, shows('b', certgen), shows('c', soon)],
    });
    expect(server).to.equal(`https://${NAME}`);
    expect(issuer?.name).to.equal('kube-webhook-certgen');
    expect(hook.id).to.equal('a');
    expect(reported(hookNamed('a'), { probes: [silent] }).issuer).to.equal(null);
  });

  it('says what each endpoint showed, or why it showed nothing', () => {
    const { endpoints } = reported(hookNamed('a'), {
      probes: [shows('a', soon), shows(null, late), silent, probed('b', presented('TLSv1.2'))],
    });
    const nothing = { leaf: null, notAfterMs: null, protocol: null, problem: null };
    const address = '10.0.0.1:8443';
    const told = (made: MadeLeaf) => ({ leaf: shortHash(certificateOf(made)), notAfterMs: endOf(made) });
    expect(endpoints).to.deep.equal([
      { ...nothing, name: 'Pod a', address, ...told(soon), protocol: 'TLSv1.3' },
      { ...nothing, name: address, address, ...told(late), protocol: 'TLSv1.3' },
      { ...nothing, name: 'Pod a', address, problem: 'no answer' },
      { ...nothing, name: 'Pod b', address, protocol: 'TLSv1.2' },
    ]);
  });
});

describe('the report about a cluster', () => {
  it('begins with what fails, then with what ends first, and ends with what is not known to end', () => {
    const hooks = [
      surveyedOf(hookNamed('unknown')),
      surveyedOf(hookNamed('late'), { probes: [shows('a', late)] }),
      surveyedOf(hookNamed('silent'), { probes: [silent] }),
      surveyedOf(hookNamed('soon-b'), { probes: [shows('a', soon)] }),
      surveyedOf(hookNamed('ignored', { blocks: false }), { probes: [shows('a', soon)] }),
      surveyedOf(hookNamed('soon-and-silent', { blocks: false }), { probes: [shows('a', soon), silent] }),
      surveyedOf(hookNamed('soon-a'), { probes: [shows('a', soon)] }),
      surveyedOf(hookNamed('fails'), { probes: [shows('a', expired)] }),
      surveyedOf(hookNamed('also-fails', { blocks: false }), { probes: [shows('a', expired), shows('b', soon)] }),
    ];
    const order = [
      'fails',
      'also-fails',
      'soon-and-silent',
      'soon-a',
      'soon-b',
      'ignored',
      'late',
      'silent',
      'unknown',
    ];
    for (const given of [hooks, hooks.toReversed()])
      expect(reportOf(given).hooks.map(({ hook }) => hook.id)).to.deep.equal(order);
  });

  it('counts its webhooks by their status', () => {
    const report = reportOf([
      ...['a', 'b', 'c', 'd'].map((id) => surveyedOf(hookNamed(id), { probes: [shows('a', soon)] })),
      ...['e', 'f', 'g'].map((id) => surveyedOf(hookNamed(id))),
      ...['h', 'i'].map((id) => surveyedOf(hookNamed(id), { probes: [silent] })),
      surveyedOf(hookNamed('j'), { probes: [shows('a', expired)] }),
    ]);
    expect(report.counts).to.deep.equal({ fail: 1, warn: 2, unknown: 3, ok: 4 });
  });

  it('has a calendar of the certificates whose end matters, each with whom it matters to', async () => {
    const ending = await madeCertificates.ca('CN=ending', { toDays: 5 });
    const long = await madeCertificates.leaf({ ca: ending, names: [NAME] });
    const { calendar } = reportOf([
      surveyedOf(hookNamed('b'), { probes: [shows('a', late), shows('b', soon), shows('c', soon)] }),
      surveyedOf(hookNamed('a'), { probes: [silent, shows('a', soon)] }),
      surveyedOf(hookNamed('c', {}, ending.pem), { probes: [shows('a', long)] }),
      surveyedOf(hookNamed('d'), { probes: [shows('a', expired)] }),
      surveyedOf(hookNamed('e', { skipsVerification: true }), { probes: [shows('a', late)] }),
    ]);
    const entry = (made: { readonly pem: string }, kind: string, subject: string, ...hooks: readonly string[]) => ({
      atMs: endOf(made),
      kind,
      subject,
      hash: shortHash(certificateOf(made)),
      hooks,
    });
    expect(calendar).to.deep.equal([
      entry(ending, 'CA', 'CN=ending', 'c'),
      entry(soon, 'leaf', `CN=${NAME}`, 'a', 'b'),
      entry(late, 'leaf', `CN=${NAME}`, 'b'),
    ]);
  });

  it('says of what and by which clock it is', () => {
    const unreadable = [{ path: '/apis', why: 'forbidden' }];
    expect(reportOf([], { unreadable }, 7)).to.deep.equal({
      server: 'https://10.0.0.1',
      version: 'v1.36.0',
      nowMs: NOW_MS,
      warnBeforeMs: 7,
      hooks: [],
      calendar: [],
      unreadable,
      counts: { fail: 0, warn: 0, ok: 0, unknown: 0 },
    });
  });

  it('is sound where nothing fails and everything could be read', () => {
    const warned = surveyedOf(hookNamed('a'), { probes: [silent] });
    expect(isSound(reportOf([warned]))).to.equal(true);
    expect(isSound(reportOf([warned, surveyedOf(hookNamed('b'), { probes: [shows('a', expired)] })]))).to.equal(false);
    expect(isSound(reportOf([warned], { unreadable: [{ path: '/apis', why: 'forbidden' }] }))).to.equal(false);
  });
});
