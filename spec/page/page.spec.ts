import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { expect } from 'chai';
import { glossary } from '../../src/page/labels.ts';
import { page } from '../../src/page/page.ts';
import { PAGE_SCRIPT } from '../../src/page/page-assets.ts';
import type { Status } from '../../src/status/status.ts';
import { emptyStatus, fullStatus } from '../support/status-of-replica.ts';

const nowMs = Date.UTC(2026, 10, 23, 6, 0, 10);
const drawn = (...statuses: readonly Status[]): string =>
  page(
    statuses.map((status) => ({ name: status.identity, status })),
    nowMs,
  ).body;
const wait = (what: Status['waitsFor'][number]['for']): Status['waitsFor'][number] => ({
  for: what,
  since: '2026-11-23T06:00:00.000Z',
  detail: null,
  until: null,
  error: null,
});
/** What a reader gets: tags away, space folded. */
const read = (body: string): string =>
  body
    .replace(/<(style|script)>[^]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('the status page', () => {
  it('is one document that asks for nothing but what is beside it, and lets a browser run nothing else', () => {
    const { body, headers, contentType } = page([{ name: 'pod-0', status: fullStatus }], nowMs);
    expect(contentType).to.equal('text/html; charset=utf-8');
    const [icon, ...links] = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
    expect(icon).to.match(/^data:image\/svg\+xml,%3Csvg/);
    expect(links).to.deep.equal(['status', 'events']);
    expect(body).to.not.match(/https?:\/\//);
    expect(body).to.not.match(/ (?:style|on\w+)="/);
    const policy = headers['Content-Security-Policy'];
    expect(policy).to.include("default-src 'none'").and.to.include("connect-src 'self'");
    for (const tag of ['script', 'style']) {
      const inline = new RegExp(`<${tag}>([^]*)</${tag}>`).exec(body)?.[1] ?? '';
      expect(policy).to.include(`${tag}-src 'sha256-${createHash('sha256').update(inline).digest('base64')}'`);
    }
  });

  it('has a script that can be parsed', () => {
    expect(() => new Script(PAGE_SCRIPT)).not.to.throw();
  });

  it('shows role, leader, each hash with serial, names and expiry, the watch, the trust, and what the replica waits for', () => {
    const text = read(drawn(fullStatus));
    for (const said of [
      'pod-0',
      'webhook-certd 1.2.3 · namespace ns · Lease hook',
      'pod-0 is ready, and waits for every replica to serve the new certificate',
      'Now leader',
      '✔ Ready',
      'valid until 2126-12-06 11:12:18 UTC , to be renewed at 2126-11-06 11:12:18 UTC',
      'Waiting for every replica to serve the new certificate since 2026-11-23 06:00:00 UTC : pod-1',
      'Next step as the leader: wait until every replica serves the certificate',
      'Certificate announced, mounted and served',
      fullStatus.served?.hash,
      'Serial 01',
      'hook.ns.svc',
      'Leader pod-0',
      'established since 2026-11-23 06:00:00 UTC',
      'pod-1 has no serving-hash annotation',
      'CN=one serial 02 until 2126-12-06 11:12:18 UTC',
      'validatingwebhookconfiguration/hook trusts 1 CA',
    ])
      expect(text).to.include(said);
  });

  it('shows announced, mounted and served certificate separately when they differ', () => {
    const leaf = fullStatus.mounted!;
    const text = read(
      drawn({
        ...fullStatus,
        announced: { ...fullStatus.announced!, hash: 'b'.repeat(64) },
        mounted: { hash: 'c'.repeat(64), serial: null, notBefore: null, notAfter: null, names: null },
        served: { ...fullStatus.served!, hash: leaf.hash },
      }),
    );
    expect(text).to.match(
      /Certificate announced SHA-256 of tls.crt b{64} .*Certificate mounted SHA-256 of tls.crt c{64} copy Content cannot be read as a certificate Certificate served .*a{64}/,
    );
    expect(text).to.match(/Mounted c{12} different/);
  });

  it('names each object whose write is refused, with the reason, and only then', () => {
    const reason = 'spec.caBundle: Invalid value: "<pem>"';
    const text = read(drawn({ ...fullStatus, refused: [{ object: 'apiservice/v1.a', reason }] }));
    expect(text).to.match(
      /Set aside: the API server refuses the write ✘ apiservice\/v1\.a spec\.caBundle: Invalid value: &quot;&lt;pem&gt;&quot;/,
    );
    expect(read(drawn(fullStatus))).to.not.include('Set aside');
  });

  it('draws the stages of each replica and describes them with durations', () => {
    const body = drawn(fullStatus);
    const text = read(body);
    expect(text).to.include('announced mounted after 4.0 s loaded after 32 ms acknowledged after 18 ms');
    expect(text).to.include('pod-1 from Pod annotation … not acknowledged');
    expect(body).to.include('aria-label="pod-0: 4.0 s"').and.to.include('aria-label="pod-1: not done after 10 s"');
    expect(body).to.match(/<line class="way to-mounted" x1="0.00%" x2="40.00%"/);
    expect(body).to.include('data-open="yes"');
  });

  it('shows a rejected certificate with its reason, and a superseded one', () => {
    const [rotation] = fullStatus.rotations;
    const hanging = { ...rotation!, loadedAt: null, acknowledgedAt: null, replicas: [] };
    const newer = { ...rotation!, hash: 'd'.repeat(64), announcedAt: '2026-11-23T06:00:09.000Z', replicas: [] };
    const rejected = {
      ...hanging,
      ...newer,
      mountedAt: null,
      loadedAt: null,
      acknowledgedAt: null,
      rejected: 'expired',
    };
    const text = read(drawn({ ...fullStatus, rotations: [hanging, rejected] }));
    expect(text).to.match(
      /dddddddddddd copy … in progress .*✘ rejected: expired.*aaaaaaaaaaaa copy superseded .*superseded by another announcement/,
    );
  });

  it('shows why a replica is not ready, and that no certificate exists yet', () => {
    const text = read(drawn(emptyStatus));
    for (const said of [
      '✘ Not ready: no-announcement, upstream-unreachable',
      'Waiting for an announcement on the Lease since',
      'Acknowledged disabled',
      'None yet: no certificate has been announced.',
      'Shown by the leader only.',
      'Leader none',
    ])
      expect(text).to.include(said);
  });

  it('shows several replicas on one page, also one that is not reachable', () => {
    const { body } = page(
      [
        { name: 'pod-0', status: fullStatus },
        { name: 'pod-1', status: emptyStatus },
        { name: 'pod-2', status: null },
      ],
      nowMs,
    );
    expect(body).to.include('<title>2 of 3 replicas are not ready · webhook-certd</title>');
    expect(read(body)).to.match(/pod-0 leader ✔ Ready .*pod-1 follower ✘ Not ready.*pod-2 unreachable ✘ Not reachable/);
  });

  for (const [what, status, sentence] of [
    ['is ready', { waitsFor: [] }, 'pod-0 is ready'],
    [
      'waits',
      { ready: false, reasons: ['hash-mismatch'], waitsFor: [wait('mount')] },
      'pod-0 is not ready: it waits for the kubelet to mount the announced certificate',
    ],
    [
      'is loading',
      { ready: false, reasons: ['handler-loading', 'no-announcement'], waitsFor: [wait('announcement')] },
      'pod-0 is not ready: its handler is still loading',
    ],
    ['ends', { ready: false, reasons: ['draining'], waitsFor: [] }, 'pod-0 is shutting down'],
    [
      'has no upstream',
      { ready: false, reasons: ['upstream-unreachable'], waitsFor: [] },
      'pod-0 is not ready: its upstream does not answer',
    ],
    [
      'is not ready for another reason',
      { ready: false, reasons: ['some-reason'], waitsFor: [] },
      'pod-0 is not ready: some-reason',
    ],
  ] as const)
    it(`says in its heading and its title, in a sentence, that a replica ${what}`, () => {
      const body = drawn({ ...fullStatus, ...status });
      expect(body).to.include(`<title>${sentence} · webhook-certd</title>`).and.to.include(`<h1>${sentence}</h1>`);
    });

  it('says in its heading how many replicas are ready, or that one cannot be reached', () => {
    const titled = (...statuses: readonly (Status | null)[]) =>
      /<h1>(.*)<\/h1>/.exec(
        page(
          statuses.map((status, at) => ({ name: `pod-${at}`, status })),
          nowMs,
        ).body,
      )?.[1];
    expect(titled(fullStatus, fullStatus)).to.equal('All 2 replicas are ready');
    expect(titled(fullStatus, null)).to.equal('1 of 2 replicas is not ready');
    expect(titled(null)).to.equal('pod-0 cannot be reached');
  });

  it('has a favicon that differs while something is not ready', () => {
    const iconOf = (body: string) => /rel="icon" href="([^"]*)"/.exec(body)?.[1];
    expect(iconOf(drawn(fullStatus))).to.equal(iconOf(drawn(fullStatus, fullStatus)));
    const shapeOf = (body: string) => iconOf(body)?.replaceAll(/%23[0-9a-f]{6}/g, '');
    expect(shapeOf(drawn(fullStatus)), 'without colours').not.to.equal(shapeOf(drawn(fullStatus, emptyStatus)));
  });

  it('shows with each wait when it ends by itself, and the last error unless it is said already', () => {
    const waiting = (error: string | null, detail: string | null) =>
      read(drawn({ ...fullStatus, waitsFor: [{ ...wait('overlap'), until: '2026-11-23T07:00:00Z', error, detail }] }));
    expect(waiting('403 forbidden', null)).to.match(
      /since \S+ \S+ UTC \. It ends at 2026-11-23 07:00:00 UTC \. Last error: 403 forbidden/,
    );
    expect(waiting('403 forbidden', 'write: 403 forbidden')).not.to.include('Last error');
    expect(waiting(null, null)).not.to.include('Last error');
  });

  it('leads from another replica to the leader', () => {
    const bodyOf = (leader: string | null, port: number | null = 8081) =>
      page([{ name: 'pod-1', status: { ...fullStatus, identity: 'pod-1', leader } }], nowMs, port).body;
    expect(bodyOf('pod-0')).to.include('data-leader="pod-0"').and.to.include('kubectl -n ns port-forward pod-0 8081');
    for (const body of [bodyOf('pod-1'), bodyOf(null), bodyOf('pod-0', null)])
      expect(body).not.to.include('data-leader="').and.not.to.include('port-forward');
  });

  it('explains its words', () => {
    const body = drawn(fullStatus);
    for (const [word, meaning] of glossary) expect(read(body)).to.include(`${word} ${meaning}`);
    expect(body).to.match(/<li data-step="mounted" title="The kubelet has delivered/);
  });

  it('escapes names, whatever they contain', () => {
    const body = drawn({ ...fullStatus, identity: '<img src=x onerror=alert(1)>', leader: '"&' });
    expect(body).to.not.include('<img').and.to.not.include('<b>bold</b>');
    expect(body).to.include('&lt;b&gt;bold&lt;/b&gt;').and.to.include('&quot;&amp;');
  });
});
