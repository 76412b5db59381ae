import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { filter, firstValueFrom, ReplaySubject, skip } from 'rxjs';
import type { ClusterOptions } from '../../src/commands/check-cluster.ts';
import { base64, kubeconfig } from '../kube/kubeconfig.ts';
import { json, type ScriptedApi, scriptedApi } from '../kube/scripted-api.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { checkedCluster, checkingCluster } from './checked-cluster.ts';

const MINUTE_MS = 60_000;
const NONE = 'checked 0 webhooks: 0 failing, 0 with warnings, 0 ok, 0 unknown';

const get = async (port: number, path: string) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { code: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
};

describe('webhook-certd check --cluster --every', () => {
  let api: ScriptedApi;
  let folder: TemporaryDirectory;
  let path: string;
  before(async () => {
    api = await scriptedApi();
    folder = await temporaryDirectory();
    const cluster = { 'certificate-authority-data': base64(api.pki.ca) };
    path = await folder.write('kubeconfig', kubeconfig({ server: api.url, cluster }));
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const objects = (url: string): unknown => (url === '/version' ? { gitVersion: 'v1.35.0' } : { items: [] });
  beforeEach(() => api.answer((response, { url }) => json(response, objects(url))));

  const stops: (() => Promise<unknown>)[] = [];
  afterEach(() => Promise.allSettled(stops.splice(0).map((stop) => stop())));

  /** Runs it until it is stopped, and keeps what is printed in order. */
  const repeating = (everyMs: number, options: Partial<ClusterOptions> = {}, around: { kubeconfig?: string } = {}) => {
    const stopping = Promise.withResolvers<void>();
    const line$ = new ReplaySubject<string>(Infinity);
    const lines: string[] = [];
    line$.subscribe((line) => lines.push(line));
    const said = (text: string): void => line$.next(text);
    const ended = checkingCluster(
      { everyMs, ...options },
      { kubeconfig: path, print: said, printError: said, stopped: () => stopping.promise, ...around },
    ).finally(() => line$.complete());
    const stop = async (): Promise<number> => {
      stopping.resolve();
      return (await ended).code;
    };
    stops.push(stop);
    return {
      lines,
      stop,
      /** The first line from this one on that is as it is wanted; rejects when it ends before. */
      line: (from: number, isWanted: (line: string) => boolean = () => true): Promise<string> =>
        firstValueFrom(line$.pipe(skip(from), filter(isWanted))),
      port: async (): Promise<number> =>
        Number(/^serving \/ and \/metrics at port (\d+)$/.exec(await firstValueFrom(line$))?.[1]),
    };
  };

  it('serves the report as a page, as metrics and as JSON, until it is stopped', async () => {
    await using cluster = await checkedCluster(true);
    const running = repeating(MINUTE_MS, {}, { kubeconfig: cluster.kubeconfig });
    const port = await running.port();
    await running.line(1);
    const page = await get(port, '/');
    expect({ code: page.code, type: page.type }).to.deep.equal({ code: 200, type: 'text/html; charset=utf-8' });
    expect(page.body).to.contain('Which webhook fails next');
    const metrics = await get(port, '/metrics');
    expect(metrics.code).to.equal(200);
    expect(metrics.body).to.contain('webhook_certd_cluster_webhooks{status="fail"} 1');
    const report = await get(port, '/report.json');
    expect({ code: report.code, type: report.type }).to.deep.equal({ code: 200, type: 'application/json' });
    expect((JSON.parse(report.body) as { readonly counts: unknown }).counts).to.deep.equal({
      fail: 1,
      warn: 0,
      ok: 1,
      unknown: 0,
    });
    expect(await running.stop()).to.equal(0);
    expect(running.lines).to.deep.equal([
      `serving / and /metrics at port ${port}`,
      'checked 2 webhooks: 1 failing, 0 with warnings, 1 ok, 0 unknown',
    ]);
    expect(await get(port, '/livez').catch(() => null), 'it serves no longer').to.equal(null);
  });

  it('serves no report before the first check has ended, though it lives', async () => {
    const held: (() => void)[] = [];
    api.answer((response, { url }) => void held.push(() => json(response, objects(url))));
    const running = repeating(MINUTE_MS);
    const port = await running.port();
    const plain = { type: 'text/plain; charset=utf-8' };
    for (const page of ['/', '/metrics', '/report.json'])
      expect(await get(port, page), page).to.deep.equal({
        ...plain,
        code: 503,
        body: 'the first check has not ended yet\n',
      });
    expect(await get(port, '/livez')).to.deep.equal({ ...plain, code: 200, body: 'ok\n' });
    api.answer((response, { url }) => json(response, objects(url)));
    await until(() => held.length > 0);
    for (const release of held) release();
    await running.line(1);
    expect((await get(port, '/')).code).to.equal(200);
    expect(await running.stop()).to.equal(0);
  });

  it('checks again after that time, and writes the files each time', async () => {
    const [html, metricsFile] = ['report.html', 'webhooks.prom'].map((name) => `${folder.path}/${name}`) as [
      string,
      string,
    ];
    const running = repeating(1, { html, metricsFile });
    await running.line(1);
    const first = await readFile(html, 'utf8');
    api.answer((response, { url }) => json(response, url === '/version' ? { gitVersion: 'v1.36.0' } : { items: [] }));
    await until(async () => (await readFile(html, 'utf8')).includes('v1.36.0'));
    expect(first).to.include('v1.35.0');
    expect(await readFile(metricsFile, 'utf8')).to.include('webhook_certd_cluster_webhooks{status="fail"} 0');
    expect(await running.stop()).to.equal(0);
    expect(running.lines.length).to.be.at.least(3);
    expect([...new Set(running.lines.slice(1))]).to.deep.equal([NONE]);
  });

  it('waits that long between two checks', async () => {
    const running = repeating(MINUTE_MS);
    await running.line(1);
    const asked = api.asked.length;
    await get(await running.port(), '/livez');
    expect(api.asked.length).to.equal(asked);
    expect(await running.stop()).to.equal(0);
    expect(running.lines).to.have.length(2);
  });

  it('goes on when the API server does not answer, and serves the report before', async () => {
    const running = repeating(1);
    const port = await running.port();
    await running.line(1);
    api.answer((response) => json(response, { kind: 'Status', message: 'broken' }, 500));
    expect(await running.line(1, (line) => line !== NONE)).to.equal('webhook-certd: GET /version: 500 broken');
    expect((await get(port, '/report.json')).code).to.equal(200);
    const failed = running.lines.length;
    api.answer((response, { url }) => json(response, objects(url)));
    expect(await running.line(failed, (line) => line === NONE)).to.equal(NONE);
    expect(await running.stop()).to.equal(0);
  });

  it('goes on when the first one is not answered, and when a file cannot be written', async () => {
    api.answer((response) => json(response, { kind: 'Status', message: 'broken' }, 500));
    const unanswered = repeating(MINUTE_MS);
    await unanswered.line(1);
    expect(await unanswered.stop()).to.equal(0);
    expect(unanswered.lines.slice(1)).to.deep.equal(['webhook-certd: GET /version: 500 broken']);
    api.answer((response, { url }) => json(response, objects(url)));
    const unwritten = repeating(MINUTE_MS, { html: '/nowhere/report.html' });
    await unwritten.line(1);
    expect(await unwritten.stop()).to.equal(0);
    expect(unwritten.lines.slice(1)).to.deep.equal(['webhook-certd: /nowhere/report.html cannot be written: ENOENT']);
  });

  it('ends with 1 and the reason when it cannot listen', async () => {
    const running = repeating(MINUTE_MS);
    const port = await running.port();
    const second = await checkingCluster(
      { everyMs: MINUTE_MS, listen: { host: '127.0.0.1', port } },
      { kubeconfig: path },
    );
    expect({ code: second.code, printed: second.printed, errors: second.errors.length }).to.deep.equal({
      code: 1,
      printed: [],
      errors: 1,
    });
    expect(second.errors[0]).to.match(new RegExp(`^webhook-certd: cannot listen on 127\\.0\\.0\\.1:${port}: `));
    expect(await running.stop()).to.equal(0);
  });

  it('does not hide where this program is wrong', async () => {
    const print = (text: string): void => {
      if (text === NONE) throw new TypeError('a bug');
    };
    const stopped = (): Promise<void> => new Promise(() => undefined);
    const error: unknown = await checkingCluster({ everyMs: MINUTE_MS }, { kubeconfig: path, print, stopped }).catch(
      (each: unknown) => each,
    );
    expect(error).to.be.instanceOf(TypeError).with.property('message', 'a bug');
  });
});
