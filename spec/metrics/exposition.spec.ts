import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { metricsPage } from '../../src/metrics/exposition.ts';
import { processFamilies } from '../../src/metrics/process-families.ts';
import { processUsage } from '../../src/metrics/process-usage.ts';
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

  it('are read from the process', async () => {
    const read = processUsage(process);
    const before = await read();
    expect(Math.abs(before.startedMs - (Date.now() - process.uptime() * 1_000))).to.be.below(1_000);
    expect(before.nodeVersion).to.equal(process.version);
    expect(before.cpuSeconds).to.be.within(0.01, 100_000);
    expect(before.residentBytes)
      .to.be.above(before.heapUsedBytes)
      .and.above(10 << 20);
    expect(before.heapTotalBytes).to.be.above(before.heapUsedBytes / 2);
    expect(before.openFiles).to.be.within(3, 100_000);
    expect(before.maxFiles).to.be.above(before.openFiles ?? Infinity);
    expect(before.loopLagSeconds).to.be.within(0, 5);
    await turn();
    expect((await read()).cpuSeconds).to.be.at.least(before.cpuSeconds);
  });
});
