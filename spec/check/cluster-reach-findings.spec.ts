import { expect } from 'chai';
import type { Backend } from '../../src/check/cluster-backends.ts';
import { type Finding, finding } from '../../src/check/cluster-finding.ts';
import type { Hook } from '../../src/check/cluster-hooks.ts';
import type { ProbeResult } from '../../src/check/cluster-probe.ts';
import { reachFindings } from '../../src/check/cluster-reach-findings.ts';
import type { Probed, SurveyedHook } from '../../src/check/cluster-survey.ts';
import { failed, presented, probed, surveyedOf } from './surveyed.ts';

const REFERENCE = { name: 'web', namespace: 'hooks', port: 443 };
const RBAC = 'webhook-certd check --cluster --rbac';
const IGNORED = ' (failurePolicy Ignore: requests pass without it)';

const there = (value: unknown) => ({ state: 'there', value });
const refused = (state: 'absent' | 'forbidden' | 'failed', why = state as string) => ({ state, why });

interface Behind {
  readonly service?: object;
  readonly endpoints?: object;
  readonly pods?: object;
}

const SERVICE = { ports: [{ name: '', port: 443 }], externalName: null, selector: { app: 'web', tier: 'a' } };
const READY = there([{ address: '10.0.0.1', port: 8443, ready: true, pod: 'web-0' }]);
const UNREADY = there([{ address: '10.0.0.1', port: 8443, ready: false, pod: 'web-0' }]);

const backendOf = ({ service = there(SERVICE), endpoints = READY, pods = there([]) }: Behind = {}): Backend =>
  ({ reference: REFERENCE, service, endpoints, pods }) as unknown as Backend;

interface Given extends Partial<Omit<SurveyedHook, 'hook'>> {
  readonly blocks?: boolean;
  readonly url?: string;
}

const found = ({ blocks = true, url, ...rest }: Given): readonly Finding[] => {
  const server = url === undefined ? { to: 'service', service: REFERENCE } : { to: 'url', url };
  const hook = { server, blocks } as unknown as Hook;
  return reachFindings(surveyedOf(hook, { backend: url === undefined ? backendOf() : null, ...rest }));
};

describe('the Service of a webhook', () => {
  const texts = (behind: Behind, blocks = true): readonly string[] =>
    found({ backend: backendOf(behind), blocks }).map(({ id, severity, detail }) => `${severity} ${id}: ${detail}`);

  it('is not mentioned where it has a ready endpoint', () => {
    expect(found({})).to.deep.equal([]);
    expect(texts({ service: there({ ports: [], externalName: 'example.com', selector: {} }) })).to.deep.equal([]);
  });

  it('may be missing', () => {
    const detail = 'there is no Service web in namespace hooks';
    const show = 'kubectl get services -n hooks';
    const backend = backendOf({ service: refused('absent') });
    expect(found({ backend })).to.deep.equal([finding('service-missing', 'fail', detail, show)]);
    expect(found({ backend, blocks: false })).to.deep.equal([
      finding('service-missing', 'warn', `${detail}${IGNORED}`, show),
    ]);
  });

  it('may be unreadable, as its endpoints may be', () => {
    for (const behind of [
      { service: refused('forbidden', 'no') },
      { service: refused('failed', 'no') },
      { endpoints: refused('forbidden', 'no') },
      { endpoints: refused('failed', 'no'), pods: refused('failed', 'neither') },
    ])
      expect(found({ backend: backendOf(behind) }), JSON.stringify(behind)).to.deep.equal([
        finding('not-inspected', 'note', 'no', RBAC),
      ]);
    expect(texts({ pods: refused('forbidden') })).to.deep.equal([]);
  });

  it('may have no port of this number', () => {
    const show = 'kubectl get service -n hooks web -o yaml';
    const other = (...ports: readonly number[]) =>
      backendOf({ service: there({ ...SERVICE, ports: ports.map((port) => ({ name: '', port })) }) });
    const detail = 'Service web has no port 443, its ports are';
    expect(found({ backend: other(80, 8443) })).to.deep.equal([
      finding('port-missing', 'fail', `${detail} 80, 8443`, show),
    ]);
    expect(found({ backend: other(), blocks: false })).to.deep.equal([
      finding('port-missing', 'warn', `${detail} none${IGNORED}`, show),
    ]);
    expect(found({ backend: other(80, 443) })).to.deep.equal([]);
  });

  it('may have no ready endpoint, for a reason that its Pods show', () => {
    const pods = (...problems: readonly (string | null)[]) =>
      there(problems.map((problem, at) => ({ name: `web-${at}`, problem })));
    for (const [given, why] of [
      [there([]), 'no Pod matches its selector'],
      [refused('forbidden', 'no'), 'its Pods cannot be read: no'],
      [pods(null), '1 Pod matches its selector, none is Ready'],
      [pods(null, null), '2 Pods match its selector, none is Ready'],
      [pods(null, 'CrashLoopBackOff'), '2 Pods match its selector, none is Ready (web-1: CrashLoopBackOff)'],
    ] as const) {
      expect(texts({ endpoints: UNREADY, pods: given })).to.deep.equal([`fail no-endpoint: ${why}`]);
      expect(texts({ endpoints: there([]), pods: given }, false)).to.deep.equal([`warn no-endpoint: ${why}${IGNORED}`]);
    }
  });

  it('has its Pods shown where none is ready', () => {
    const remedy = (selector: object) =>
      found({ backend: backendOf({ service: there({ ...SERVICE, selector }), endpoints: UNREADY }) })[0]?.remedy;
    expect(remedy({ app: 'web', tier: 'a' })).to.equal('kubectl get pods -n hooks -l app=web,tier=a');
    expect(remedy({})).to.equal('kubectl get pods -n hooks');
    expect(texts({ service: there({ ...SERVICE, selector: {} }), endpoints: UNREADY })).to.deep.equal([
      'fail no-endpoint: it has no selector, so that its endpoints are set by hand',
    ]);
  });
});

describe('the URL of a webhook', () => {
  it('is dialled where it is https, and not inspected where it is not', () => {
    expect(found({ url: 'https://example.com/a' })).to.deep.equal([]);
    for (const url of ['http://example.com', 'example.com'])
      expect(found({ url })).to.deep.equal([finding('not-inspected', 'note', `${url} is no https URL`, null)]);
  });

  it('is not inspected where there is none', () => {
    const hook = { server: { to: 'nothing' }, blocks: true } as unknown as Hook;
    const [first] = reachFindings(surveyedOf(hook));
    expect(first).to.include({ id: 'not-inspected', detail: '(no server) is no https URL' });
  });
});

describe('an endpoint of a webhook that shows no certificate', () => {
  const ids = (probes: readonly Probed[], rest: Given = {}): readonly string[] =>
    found({ probes, ...rest }).map(({ id, severity, detail }) => `${severity} ${id}: ${detail}`);

  it('fails the calls for the reason found, but may be reached by others where it does not answer here', () => {
    for (const [why, expected] of [
      ['closed', 'fail port-closed'],
      ['unreachable', 'warn unreachable'],
      ['plain-http', 'fail plain-http'],
      ['no-handshake', 'fail no-handshake'],
    ] as const) {
      const probes = [probed('web-0', failed(why, 'no'))];
      expect(ids(probes)).to.deep.equal([`${expected}: Pod web-0: no`]);
      const id = expected.slice(5);
      expect(ids(probes, { blocks: false })).to.deep.equal([`warn ${id}: Pod web-0: no${IGNORED}`]);
      expect(ids(probes, { url: 'https://example.com' })).to.deep.equal([`warn ${id}: Pod web-0: no`]);
    }
  });

  it('is told once beside the others of which the same is said, numbers aside', () => {
    const probes = [
      probed('a', failed('closed', 'connect 10.0.0.1:8443 refused')),
      probed('b', failed('closed', 'connect 10.0.0.123:84439 refused')),
      probed('c', failed('no-handshake', 'reset')),
      probed('d', failed('closed', 'reset')),
    ];
    expect(ids(probes)).to.deep.equal([
      'fail port-closed: 2 of 4 endpoints (Pod a, Pod b): connect 10.0.0.1:8443 refused',
      'fail no-handshake: 1 of 4 endpoints (Pod c): reset',
      'fail port-closed: 1 of 4 endpoints (Pod d): reset',
    ]);
  });

  it('is told once for addresses of any form', () => {
    const addresses = ['10.0.0.1:8443', 'fe80::1', '2001:db8::abc'];
    const probes = addresses.map((each) => probed(null, failed('unreachable', `no answer of ${each} in time`)));
    expect(ids(probes)).to.deep.equal(['warn unreachable: all 3 endpoints: no answer of 10.0.0.1:8443 in time']);
  });

  it('has the log of its Pod shown, or the endpoints where it has none', () => {
    const remedy = (pods: readonly (string | null)[], rest: Given = {}) =>
      found({ probes: pods.map((pod) => probed(pod, failed('closed', 'no'))), ...rest })[0]?.remedy;
    expect(remedy([null, 'web-1'])).to.equal('kubectl logs -n hooks web-1 --all-containers --tail=50');
    expect(remedy([null])).to.equal('kubectl get endpointslices -n hooks -l kubernetes.io/service-name=web');
    expect(remedy([null], { url: 'https://example.com' })).to.equal(null);
  });

  it('is not inspected where it could not be dialled', () => {
    const skipped = (detail: string): ProbeResult => ({ state: 'skipped', detail });
    const probes = [
      probed('a', presented('TLSv1.3')),
      probed('b', skipped('no port-forward')),
      probed('c', skipped('other')),
    ];
    expect(found({ probes })).to.deep.equal([
      finding('not-inspected', 'note', '2 of 3 endpoints (Pod b, Pod c): no port-forward', RBAC),
    ]);
  });
});

describe('an endpoint of a webhook that shows a certificate', () => {
  it('is not mentioned where it has TLS 1.3', () => {
    expect(found({ probes: [probed('a', presented('TLSv1.3'))] })).to.deep.equal([]);
  });

  it('is noted where it has TLS 1.2 at most', () => {
    const probes = [probed('a', presented('TLSv1.2')), probed('b', presented('TLSv1.3'))];
    expect(found({ probes })).to.deep.equal([
      finding('tls-1.2-only', 'note', '1 of 2 endpoints (Pod a): TLSv1.2 at most; calls work', null),
    ]);
  });

  it('fails the calls where it has nothing that the API server accepts', () => {
    const probes = [probed('a', failed('closed', 'no')), probed('b', presented('TLSv1.1'))];
    const tooOld = (blocks: boolean) => found({ probes, blocks }).find(({ id }) => id === 'tls-too-old');
    const detail = '1 of 2 endpoints (Pod b): nothing newer than TLSv1.1, the API server needs TLSv1.2';
    const show = 'kubectl logs -n hooks b --all-containers --tail=50';
    expect(tooOld(true)).to.deep.equal(finding('tls-too-old', 'fail', detail, show));
    expect(tooOld(false)).to.deep.equal(finding('tls-too-old', 'warn', detail, show));
  });
});

describe('the Secrets behind a webhook', () => {
  it('are not inspected where they cannot be read', () => {
    const mounted = { certificates: [], problems: ['no Secret', 'neither'] };
    expect(found({ mounted })).to.deep.equal([
      finding('not-inspected', 'note', 'no Secret', 'webhook-certd check --cluster --secrets --rbac'),
    ]);
    expect(found({ mounted: { certificates: [], problems: [] } })).to.deep.equal([]);
  });
});
