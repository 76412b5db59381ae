import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { dump } from 'js-yaml';
import { monitoring } from '../manifests/monitoring.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import { install } from '../support/installation.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { scaled, until } from '../support/until.ts';
import { promtool } from './promtool.ts';
import { tool } from './tool.ts';

const LOADED = 'Certificate loaded and verified';

interface Answer {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}

interface RulesAnswer {
  readonly data: { readonly groups: readonly { readonly lastEvaluation: string }[] };
}

describe('the metrics of a live daemon', function () {
  this.timeout(90_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** Two replicas that have gone through a rotation; the first leads. */
  const fleet = async () => {
    await using opened = new AsyncDisposableStack();
    // By a nudge only, and so not before the replica has seen what is announced.
    const installation = opened.use(await install(api, { kubeletDelayMs: scaled(5_000) }));
    const start = async () => {
      const port = await freePort();
      const env = { METRICS_BIND_ADDRESS: `127.0.0.1:${port}` };
      const replica = opened.use(await installation.replica({ env, nudgeDelayMs: 0 }));
      await replica.line(LOADED);
      // This patches the Pod, so that the kubelet reads the Secret at once: before the rotation, which would be no wait for it.
      await replica.line('Certificate acknowledged');
      return { replica, port };
    };
    const [leader, follower] = [await start(), await start()];
    follower.replica.mark();
    await installation.annotateLease({ rotate: 'leaf' });
    const line = await follower.replica.line(LOADED);
    for (const { replica } of [leader, follower])
      await replica.line('Certificate acknowledged', { hash: line['hash'] });
    const everything = opened.move();
    return { leader, follower, line, [Symbol.asyncDispose]: () => everything.disposeAsync() };
  };
  const scrape = async (port: number): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })).text();

  it('are well named and explained, says promtool, and tell of both sides', async () => {
    await using replicas = await fleet();
    await until(async () =>
      (await scrape(replicas.leader.port)).includes(`{hash="${String(replicas.line['hash'])}"} 2`),
    );
    const [leader, follower] = [await scrape(replicas.leader.port), await scrape(replicas.follower.port)];
    for (const text of [leader, follower]) {
      const { code, said } = await promtool(['check', 'metrics', '--extended'], text);
      expect(said).not.to.match(/no help text|should|error/i);
      expect(code).to.equal(0);
    }
    const endsAt = Date.parse(String(replicas.line['validUntil'])) / 1000;
    for (const certificate of ['served', 'mounted', 'secret'])
      expect(leader).to.include(`webhook_certd_${certificate}_certificate_expiry_timestamp_seconds ${endsAt}\n`);
    expect(leader).to.match(/webhook_certd_ca_bundle_expiry_timestamp_seconds\{target="validating[^"]+"\} \d{10}\n/);
    expect(leader).to.include('webhook_certd_leader 1\n').and.to.include('webhook_certd_ready 1\n');
    expect(leader).to.match(/webhook_certd_api_requests_total\{verb="patch",resource="leases",code="200"\} \d/);
    expect(leader)
      .to.match(/^process_resident_memory_bytes \d{8,}$/m)
      .and.to.match(/^nodejs_version_info\{version="v\d/m);
    expect(follower).to.include('webhook_certd_leader 0\n').and.to.include('webhook_certd_hash_mismatch 0\n');
    expect(follower).to.match(/webhook_certd_adoption_seconds_count 2\n/);
    expect(follower).to.match(/webhook_certd_kubelet_sync_seconds_count [12]\n/);
    expect(follower).to.include('webhook_certd_loads_total{result="served"} 2\n');
    expect(follower).not.to.match(/secret_certificate|ca_bundle_expiry|_replicas/);
  });

  it('are taken by a real Prometheus, whose alerts rest on them', async () => {
    await using replicas = await fleet();
    await using folder = await temporaryDirectory();
    const port = await freePort();
    const targets = [replicas.leader, replicas.follower].map((one) => `127.0.0.1:${one.port}`);
    await writeFile(join(folder.path, 'rules.yaml'), dump(monitoring.ruleFile));
    const settings = {
      // A scrape may take as long as the interval: one that is late would count as a replica that is gone.
      global: { scrape_interval: `${scaled(1_000)}ms`, evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'hook', static_configs: [{ targets, labels: { namespace: 'hooks' } }] }],
    };
    await writeFile(join(folder.path, 'prometheus.yaml'), dump(settings));
    const prometheus = spawn(
      await tool('prometheus'),
      [
        `--config.file=${join(folder.path, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder.path, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: 'ignore' },
    );
    const ended = once(prometheus, 'close');
    try {
      const results = async (query: string): Promise<Answer['data']['result']> => {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
        const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => null);
        // It is about to start, or starting.
        if (answer === null || answer.status === 503) return [];
        expect(answer.status, query).to.equal(200);
        return ((await answer.json()) as Answer).data.result;
      };
      const ask = async (query: string) => (await results(query)).map(({ value: [, value] }) => value);
      const alerts = async (query: string) => (await results(query)).map(({ metric }) => metric['alertname']);
      const evaluatedMs = async (): Promise<number> => {
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/rules`, { headers: { connection: 'close' } });
        const { data } = (await answer.json()) as RulesAnswer;
        return Math.min(...data.groups.map(({ lastEvaluation }) => Date.parse(lastEvaluation)));
      };
      await until(async () => (await ask('sum(up{job="hook"})')).join() === '2', 30_000);
      expect(await ask('sum(webhook_certd_ready)')).to.deep.equal(['2']);
      expect(await ask('sum(webhook_certd_leader)')).to.deep.equal(['1']);
      expect(await ask('count(webhook_certd_build_info)')).to.deep.equal(['2']);
      expect(await ask('sum(webhook_certd_adoption_seconds_count)')).to.deep.equal(['4']);
      const hash = String(replicas.line['hash']);
      await until(async () => (await ask(`webhook_certd_replicas{hash="${hash}"}`)).join() === '2');
      // Nothing is wrong here, and nothing is told to be, once the rules have been evaluated on all of this. Before, where
      // they were after the follower's first scrape and before the leader's, the alert for a missing leader may have been pending.
      const seenMs = Date.now();
      await until(async () => (await evaluatedMs()) > seenMs + 1_000);
      expect(await alerts('ALERTS')).to.deep.equal([]);
      expect(await alerts('max_over_time(ALERTS{alertstate="firing"}[5m])')).to.deep.equal([]);
    } finally {
      prometheus.kill('SIGTERM');
      await ended;
    }
  });
});
