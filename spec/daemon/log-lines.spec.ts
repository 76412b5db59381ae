import { expect } from 'chai';
import { VERSION } from '../../src/config/version.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install } from '../support/installation.ts';
import type { LogLine } from '../support/running-daemon.ts';
import { until } from '../support/until.ts';

/** The contract's section 5, message by message: level and fields, in any order but with these names. */
const CONTRACT: Readonly<Record<string, readonly [level: string, fields: readonly string[]]>> = {
  'Lease watch established, monitoring for certificate updates': ['info', ['lease', 'resourceVersion']],
  'Lease watch event received': ['info', ['hash', 'validUntil', 'holder']],
  'Certificate hash mismatch, waiting for kubelet sync': ['info', ['hash', 'filesystemHash']],
  'Certificate loaded and verified': ['info', ['hash', 'serial', 'validUntil', 'elapsedMs']],
  'Lease watch closed, restarting watch': ['info', ['reason']],
  'Watch creation failed': ['warn', ['status', 'error', 'retryInMs']],
  'Certificate rejected, keeping the one being served': ['warn', ['hash', 'reason']],
  'Timeout waiting for webhook certificates': ['error', ['timeoutSeconds', 'reason']],
};

describe('the log', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const conforms = (line: LogLine | undefined, message: string): void => {
    const [level, fields] = CONTRACT[message] ?? ['', []];
    expect(line, message).to.include({ level, message });
    expect(line, message).to.include.keys('time', ...fields);
    expect(line?.['time']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Object.keys(line ?? {}).slice(0, 3)).to.deep.equal(['level', 'time', 'message']);
  };

  it("has the contract's lines, with their levels and fields, and no key, token or PEM", async () => {
    await using installation = await install(api, { kubeletDelayMs: 300 });
    await using replica = await installation.replica();
    await replica.line('Certificate loaded and verified');
    api.endWatches();
    await replica.line('Lease watch established, monitoring for certificate updates');
    await installation.annotateLease({ rotate: 'leaf' });
    replica.mark();
    await replica.line('Certificate loaded and verified');

    const first = (message: string) =>
      replica.lines.find((line) => line.message === message && line['level'] !== 'debug');
    for (const message of [
      'Lease watch established, monitoring for certificate updates',
      'Lease watch event received',
      'Certificate hash mismatch, waiting for kubelet sync',
      'Certificate loaded and verified',
    ])
      conforms(first(message), message);
    const text = JSON.stringify(replica.lines);
    expect(text).not.to.match(/BEGIN|PRIVATE|Bearer|ey[J]hbGci/);
  });

  it('begins with which program this is, where it listens, and what it keeps', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica({ env: { METRICS_BIND_ADDRESS: '0' } });
    await replica.line('Starting');
    const [first] = replica.lines;
    expect(first).to.include({
      level: 'info',
      message: 'Starting',
      event: 'starting',
      version: VERSION,
      identity: replica.name,
      namespace: installation.namespace,
      issuer: 'self-signed',
      metrics: null,
    });
    expect(first?.['targets']).to.be.an('array').that.is.not.empty;
    for (const address of ['webhook', 'probes']) expect(first?.[address], address).to.match(/^127\.0\.0\.1:\d+$/);
    for (const name of ['lease', 'secret', 'service', 'answeredBy']) expect(first?.[name], name).to.be.a('string');
  });

  it('names the missing verb and resource when the watch is forbidden, and retries with a growing delay', async () => {
    await using installation = await install(api, { permit: ({ resource }) => resource !== 'leases' });
    // The first failure is logged at warn, the same failure again at debug.
    await using replica = await installation.replica({ env: { LOG_LEVEL: 'debug' } });
    const line = await replica.line('Watch creation failed', { level: 'warn' });
    conforms(line, 'Watch creation failed');
    expect(line['status']).to.equal(403);
    expect(line['error']).to.match(/cannot list resource "leases"/);
    const [first, second] = [line, await next(replica.lines, 'Watch creation failed', 2)];
    expect(Number(second['retryInMs'])).to.be.above(Number(first['retryInMs']));
    expect(Number(first['retryInMs'])).to.be.within(400, 800);
  });

  it('says every tick check at debug, and a mismatch again only there', async () => {
    await using installation = await install(api, { env: { KUBELET_NUDGE: 'false' }, kubeletDelayMs: 60_000 });
    await using replica = await installation.replica({ env: { LOG_LEVEL: 'debug' } });
    await replica.line('Certificate hash mismatch, waiting for kubelet sync', { level: 'info' });
    await replica.line('Certificate hash mismatch, waiting for kubelet sync', { level: 'debug' });
    await replica.line('Tick checked', { level: 'debug' });
    const told = replica.lines.filter(
      (line) => line.message === 'Certificate hash mismatch, waiting for kubelet sync' && line['level'] === 'info',
    );
    expect(told).to.have.length(1);
  });
});

const next = async (lines: readonly LogLine[], message: string, count: number): Promise<LogLine> => {
  const found = (): LogLine | undefined => lines.filter((line) => line.message === message)[count - 1];
  await until(() => found() !== undefined);
  return found() ?? { message };
};
