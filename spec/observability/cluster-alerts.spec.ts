import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { Endpoint } from '../../src/check/cluster-backends.ts';
import { HOOK_LISTS } from '../../src/check/cluster-hooks.ts';
import { clusterGauges } from '../../src/check/cluster-metrics.ts';
import { reportCluster } from '../../src/check/cluster-report.ts';
import type { Survey, SurveyedHook } from '../../src/check/cluster-survey.ts';
import type { AlertRule } from '../manifests/monitoring.ts';
import { only, resources } from '../manifests/rendered.ts';
import { type MadeCa, madeCertificates } from '../support/made-certificates.ts';
import type { Json } from '../support/raw-api.ts';
import { promtoolTest, type Scrapes } from './promtool-test.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const LABELS = { namespace: 'webhook-certd-cluster-check', job: 'webhook-certd-cluster-check', pod: 'check' };
const NAME = 'hook.shop.svc';

const rule = only(resources('cluster-check-monitoring'), 'PrometheusRule');
const rules = rule.at('spec', 'groups', 0, 'rules') as unknown as readonly AlertRule[];

/** What one ready endpoint shows: a certificate, or nothing because nothing listens. */
type Shown = X509Certificate | null;

/** What the check finds at a moment; null: it finds out nothing, because it does not run. */
type Found = Pick<Survey, 'hooks' | 'unreadable'> | null;

describe('the alerts of check --cluster, with the metrics that the code produces,', () => {
  let ca: MadeCa;
  /** Prometheus starts at the epoch, and so do these certificates. */
  const epochDays = -Math.floor(Date.now() / DAY_MS);
  const leaf = async (days: number): Promise<X509Certificate> => {
    const order = { ca, names: [NAME], fromDays: epochDays - 1, toDays: epochDays + days };
    return new X509Certificate((await madeCertificates.leaf(order)).pem);
  };
  before(async () => {
    ca = await madeCertificates.ca('CN=ca', { fromDays: epochDays - 2, toDays: epochDays + 3_650 });
  });

  const webhook = (...shown: readonly Shown[]): SurveyedHook => {
    const { hooksOf } = HOOK_LISTS[0]!;
    const service = { name: 'hook', namespace: 'shop' };
    const clientConfig = { service, caBundle: Buffer.from(ca.pem).toString('base64') };
    const [hook] = hooksOf({
      metadata: { name: 'configuration' },
      webhooks: [{ name: 'a.example.com', clientConfig, failurePolicy: 'Fail' }],
    });
    const endpoints = shown.map((_, at): Endpoint => ({ address: `10.0.0.${at}`, port: 9443, ready: true, pod: null }));
    const info = { ports: [{ name: '', port: 443 }], selector: {}, externalName: null, family: 'IPv4' };
    return {
      hook: hook!,
      backend: {
        reference: { ...service, port: 443 },
        service: { state: 'there', value: info },
        endpoints: { state: 'there', value: endpoints },
        pods: { state: 'there', value: [] },
      },
      probes: endpoints.map((endpoint, at) => {
        const certificate = shown[at] ?? null;
        return {
          endpoint,
          result:
            certificate === null
              ? { state: 'failed', why: 'closed', detail: 'ECONNREFUSED' }
              : { state: 'presented', chain: [certificate], protocol: 'TLSv1.3' },
        };
      }),
      namespaceLabels: { state: 'there', value: {} },
      mounted: null,
    };
  };

  /** A check every ten minutes, scraped once a minute. */
  const scrapes = (minutes: number, foundAt: (minute: number) => Found): Scrapes => {
    const report = (minute: number) => {
      const found = foundAt(minute);
      const survey = { server: '', version: '', nowMs: minute * MINUTE_MS, hooks: [], unreadable: [], ...found };
      return found === null ? [] : clusterGauges(reportCluster(survey, { warnBeforeMs: 30 * DAY_MS }));
    };
    return Array.from({ length: minutes + 1 }, (_, minute) => report(minute - (minute % 10)));
  };
  const found = (...hooks: readonly SurveyedHook[]): Found => ({ hooks, unreadable: [] });

  const STATES: Readonly<Record<string, Readonly<Record<string, () => Promise<Scrapes>>>>> = {
    ClusterWebhookFailing: {
      'nothing listens behind a webhook': async () => {
        const [before, after] = [found(webhook(await leaf(300))), found(webhook(null))];
        return scrapes(40, (minute) => (minute < 10 ? before : after));
      },
    },
    ClusterWebhookCertificateEnds: {
      'a certificate is in its last week': async () => {
        const ends = found(webhook(await leaf(6)));
        return scrapes(30, () => ends);
      },
    },
    ClusterWebhookServesDifferentCertificates: {
      'a Pod shows another certificate for an hour': async () => {
        const differs = found(webhook(await leaf(300), await leaf(200)));
        return scrapes(70, () => differs);
      },
    },
    ClusterWebhookCheckMissing: {
      'the check has never run': () => Promise.resolve(scrapes(30, () => null)),
      'the check serves an old report': () => {
        const [old = []] = scrapes(0, () => found());
        return Promise.resolve(Array.from({ length: 90 }, () => old));
      },
    },
    ClusterWebhookCheckIncomplete: {
      'a list may not be read': async () => {
        const hooks = [webhook(await leaf(300))];
        return scrapes(30, () => ({ hooks, unreadable: [{ path: '/apis/a/v1/b', why: '403' }] }));
      },
    },
  };

  const claim = (scraped: Scrapes, expr: string, value: number | null) =>
    promtoolTest({ rules: rule.at('spec') as Json, labels: LABELS, scrapes: scraped, expr, value });

  it('are silent where every webhook is well', async () => {
    const well = found(webhook(await leaf(300)));
    const { code, said } = await claim(
      scrapes(90, () => well),
      'count(ALERTS)',
      null,
    );
    expect(said).to.include('SUCCESS');
    expect(code).to.equal(0);
  });

  it('have a state each that must fire them', () => {
    expect(Object.keys(STATES).toSorted()).to.deep.equal(rules.map(({ alert }) => alert).toSorted());
  });

  for (const [alert, states] of Object.entries(STATES))
    for (const [what, made] of Object.entries(states))
      it(`${alert} fires, and no other, where ${what}`, async () => {
        const firing = `ALERTS{alertstate="firing"}`;
        const only = `count(${firing}) == count(${firing.replace('{', `{alertname="${alert}", `)})`;
        const { code, said } = await claim(await made(), only, 1);
        expect(said).to.include('SUCCESS');
        expect(code).to.equal(0);
      });
});
