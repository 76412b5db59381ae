import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startMetrics } from '../../src/metrics/endpoint.ts';
import { metricsPage } from '../../src/metrics/instruments.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { processFamilies, processUsage } from '../../src/metrics/process-usage.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { BARE } from './bare-snapshot.ts';
import { USAGE } from './usage.ts';

describe('the text format of metrics', () => {
  it('has help, type and samples of each family, apart from the next', () => {
    const { body, contentType } = metricsPage([
      { name: 'a', help: 'First.', type: 'gauge', values: [{ labels: {}, value: 1.5 }] },
      {
        name: 'b',
        help: 'Second.',
        type: 'histogram',
        values: [
          { metricName: 'b_bucket', labels: { le: '+Inf' }, value: 2 },
          { metricName: 'b_count', labels: { x: 1, y: '' }, value: 2 },
        ],
      },
    ]);
    expect(contentType).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect(body).to.equal(
      [
        '# HELP a First.\n# TYPE a gauge\na 1.5\n',
        '# HELP b Second.\n# TYPE b histogram\nb_bucket{le="+Inf"} 2\nb_count{x="1",y=""} 2\n',
      ].join('\n'),
    );
  });

  it('leaves out a family without samples', () => {
    expect(metricsPage([{ name: 'a', help: 'None.', type: 'gauge', values: [] }]).body).to.equal('');
  });

  it('escapes what would end a line, a label or an escape', () => {
    const value = 'one \\ two\nthree "four"';
    const { body } = metricsPage([
      { name: 'a', help: value, type: 'gauge', values: [{ labels: { value }, value: 0 }] },
    ]);
    expect(body).to.include('# HELP a one \\\\ two\\nthree "four"\n');
    expect(body).to.include('a{value="one \\\\ two\\nthree \\"four\\""} 0\n');
  });

  it('writes numbers as Go reads them', () => {
    const values = [Infinity, -Infinity, NaN, 1e21, 1e-7].map((value, at) => ({ labels: { at }, value }));
    const { body } = metricsPage([{ name: 'a', help: 'Odd.', type: 'gauge', values }]);
    expect([...body.matchAll(/\} (.*)/g)].map(([, text]) => text)).to.deep.equal([
      'Inf',
      '-Inf',
      'NaN',
      '1e+21',
      '1e-7',
    ]);
  });
});

describe('the metrics of the process', () => {
  it('carry the names that other exporters use', () => {
    const samples = processFamilies(USAGE).map(({ name, type, values }) => [name, type, values]);
    const one = (value: number) => [{ labels: {}, value }];
    expect(samples).to.deep.equal([
      ['process_start_time_seconds', 'gauge', one(1.5)],
      ['process_cpu_seconds_total', 'counter', one(2.5)],
      ['process_resident_memory_bytes', 'gauge', one(3)],
      ['process_open_fds', 'gauge', one(7)],
      ['process_max_fds', 'gauge', one(8)],
      ['nodejs_heap_size_used_bytes', 'gauge', one(4)],
      ['nodejs_heap_size_total_bytes', 'gauge', one(5)],
      ['nodejs_external_memory_bytes', 'gauge', one(6)],
      ['nodejs_eventloop_lag_seconds', 'gauge', one(0.009)],
      ['nodejs_version_info', 'gauge', [{ labels: { version: 'v26.0.0' }, value: 1 }]],
    ]);
  });

  it('omit what the system does not tell', () => {
    const families = processFamilies({ ...USAGE, openFiles: null, maxFiles: null });
    expect(families.filter(({ values }) => values.length === 0).map(({ name }) => name)).to.deep.equal([
      'process_open_fds',
      'process_max_fds',
    ]);
  });

  it('are explained in a sentence', () => {
    for (const { name, help } of processFamilies(USAGE)) expect(help, name).to.match(/^[A-Z].{8,}\.$/);
  });

  it('are on the page of a process of its own, and not where the process is another’s', async () => {
    for (const usage of [undefined, () => Promise.resolve(USAGE)]) {
      const bind = { host: '127.0.0.1', port: 0 };
      await using endpoint = await startMetrics({ bind, metrics: createMetrics(), snapshot: () => BARE, usage });
      const response = await fetch(`http://127.0.0.1:${endpoint.port}/metrics`, { headers: { connection: 'close' } });
      expect((await response.text()).includes('\nprocess_open_fds 7\n')).to.equal(usage !== undefined);
    }
  });
});

describe('what a process uses', () => {
  const OWN = {
    version: 'v26.0.0',
    uptime: () => 60,
    cpuUsage: () => ({ user: 2_000_000, system: 500_000 }),
    memoryUsage: Object.assign(() => ({ rss: 3, heapUsed: 4, heapTotal: 5, external: 6, arrayBuffers: 0 }), {
      rss: () => 3,
    }),
  };
  const read = async (limits: string | null) => {
    await using folder = await temporaryDirectory();
    if (limits !== null) {
      await folder.write('limits', limits);
      await mkdir(join(folder.path, 'fd'));
      for (const fd of ['0', '1', '2', '17']) await folder.write(`fd/${fd}`, '');
    }
    return await processUsage(OWN, folder.path)();
  };

  it('is what Node and Linux say of it, without the descriptor that the question takes', async () => {
    const { startedMs, loopLagSeconds, ...usage } = await read(
      'Limit\nMax open files            1024                 524288\n',
    );
    expect(usage).to.deep.equal({
      nodeVersion: 'v26.0.0',
      cpuSeconds: 2.5,
      residentBytes: 3,
      heapUsedBytes: 4,
      heapTotalBytes: 5,
      externalBytes: 6,
      openFiles: 3,
      maxFiles: 1_024,
    });
    expect(startedMs).to.be.within(Date.now() - 65_000, Date.now() - 59_000);
    expect(loopLagSeconds).to.be.within(0, 5);
  });

  for (const [limits, maxFiles] of [
    ['Max open files            unlimited            unlimited\n', Infinity],
    ['Max processes             7                    7\n', null],
    ['not: Max open files       7                    7\n', null],
  ] as const)
    it(`has the limit ${maxFiles} of files by "${limits.trim()}"`, async () => {
      expect((await read(limits)).maxFiles).to.equal(maxFiles);
    });

  it('has no number of files where the system does not say', async () => {
    expect(await read(null)).to.include({ openFiles: null, maxFiles: null });
  });

  it('is read of this process', async () => {
    const usage = await processUsage(process)();
    expect(usage.openFiles).to.be.within(3, 100_000);
    expect(usage.maxFiles).to.be.above(usage.openFiles ?? Infinity);
    expect(usage.residentBytes).to.be.above(10 << 20);
  });

  it('tells how long the event loop was busy', async () => {
    const usage = processUsage(OWN)();
    for (const startMs = Date.now(); Date.now() - startMs < 60;);
    expect((await usage).loopLagSeconds).to.be.within(0.05, 10);
  });
});
