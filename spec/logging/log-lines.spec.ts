import { expect } from 'chai';
import { dedupeLogLines } from '../../src/logging/dedupe-log-lines.ts';
import { type LineEvent, logLinesFor } from '../../src/logging/log-lines.ts';
import type { LossReason } from '../../streams/events.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { loads } from '../support/loads.ts';
import { pairOf } from '../support/pair-of.ts';

const CONTEXT = { lease: 'the-lease', announced: 'h', isServing: true };
const first = (event: ReplicaEvent) => logLinesFor(event, CONTEXT)[0];
const done = (step: Step, touched: WriteResult | null = null) => first({ type: 'step/done', step, touched });
const load = (value: Extract<ReplicaEvent, { type: 'certificate/concluded' }>['load']): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: value,
  elapsedMs: 12.7,
});
const MISMATCH = 'Certificate hash mismatch, waiting for kubelet sync';

describe('log lines', () => {
  it("have the contract's messages with their fields", () => {
    expect(first({ type: 'watch/established', resourceVersion: '7' })).to.deep.include({
      level: 'info',
      message: 'Lease watch established, monitoring for certificate updates',
      fields: { lease: 'the-lease', resourceVersion: '7' },
    });
    expect(first({ type: 'watch/closed', reason: 'expired' })).to.deep.include({
      level: 'info',
      message: 'Lease watch closed, restarting watch',
      fields: { reason: 'expired' },
    });
    expect(first({ type: 'watch/failed', status: 403, error: 'no', retryInMs: 800 })).to.deep.include({
      level: 'warn',
      message: 'Watch creation failed',
      fields: { status: 403, error: 'no', retryInMs: 800 },
    });
    expect(first({ type: 'certificate/timed-out', timeoutMs: 180_000, reason: 'hash-mismatch' })).to.deep.include({
      level: 'error',
      message: 'Timeout waiting for webhook certificates',
      fields: { timeoutSeconds: 180, reason: 'hash-mismatch' },
    });
    expect(first(load({ type: 'certificate/mismatched', hash: 'a', filesystemHash: 'b' }))).to.deep.include({
      level: 'info',
      message: MISMATCH,
      fields: { hash: 'a', filesystemHash: 'b' },
    });
    expect(
      first(load({ type: 'certificate/rejected', hash: 'a', reason: 'expired', retryable: false })),
    ).to.deep.include({
      level: 'warn',
      message: 'Certificate rejected, keeping the one being served',
      fields: { hash: 'a', reason: 'expired' },
    });
    expect(first(load({ type: 'certificate/served', pair: pairOf('a'), untrusted: null }))).to.deep.include({
      level: 'info',
      message: 'Certificate loaded and verified',
      fields: { hash: 'a', serial: '01', validUntil: '1970-01-01T01:00:00Z', elapsedMs: 13 },
    });
  });

  it('does not speak of a certificate being served when a certificate is rejected and none is served', () => {
    const event = load({ type: 'certificate/rejected', hash: 'a', reason: 'expired', retryable: false });
    const [line] = logLinesFor(event, { ...CONTEXT, isServing: false });
    expect(line).to.deep.equal({
      level: 'warn',
      event: 'certificate-rejected',
      message: 'Certificate rejected, no certificate is served yet',
      fields: { hash: 'a', reason: 'expired' },
    });
  });

  it('are at info for a Lease event only when its announcement changed', () => {
    const event = {
      type: 'lease/observed',
      lease: leaseOf('a', { holder: 'me' }),
      via: 'watch',
      announces: true,
    } as const;
    expect(first(event)).to.deep.include({
      level: 'info',
      message: 'Lease watch event received',
      fields: { hash: 'a', validUntil: '2026-12-06T11:12:18Z', holder: 'me', via: 'watch' },
    });
    expect(first({ ...event, announces: false })).to.include({ level: 'debug' });
    expect(first({ ...event, lease: null })?.fields).to.include({ hash: null, holder: null });
  });

  it('report a mismatch at each tick at debug', () => {
    const mounted = { generation: 'g', hash: 'b', problem: null, otherManager: null };
    const lines = logLinesFor({ type: 'tick/checked', desired: { lease: leaseOf('a'), mounted } }, CONTEXT);
    expect(lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['debug', 'Tick checked'],
      ['debug', MISMATCH],
    ]);
    const matching = { lease: leaseOf('b'), mounted };
    expect(logLinesFor({ type: 'tick/checked', desired: matching }, CONTEXT)).to.have.length(1);
  });

  it('warn of the reasons for which callers may refuse a certificate, and of a failed handshake', () => {
    const pair = pairOf('a', { advice: ['missing-names: svc'] });
    const lines = logLinesFor(load({ type: 'certificate/served', pair, untrusted: 'unknown CA' }), CONTEXT);
    expect(lines.map(({ level }) => level)).to.deep.equal(['info', 'warn', 'warn']);
    expect(lines.map(({ fields }) => fields['reason'])).to.deep.equal([undefined, 'missing-names: svc', 'unknown CA']);
  });

  it('warn of a server that does not show the certificate, with what it shows, by the kind of the finding', () => {
    const said = first(load(loads.notShown('a')));
    expect([said?.level, said?.event]).to.deep.equal(['warn', 'served-elsewhere']);
    expect(said?.fields).to.deep.equal({ hash: 'a', shown: 'z', refused: null, reason: 'neighbour shows z' });
    const gone = { kind: 'neighbour-unreachable', detail: 'nothing listens', shown: null } as const;
    const fields = { hash: 'a', reason: 'nothing listens' };
    expect(first(load(loads.notShown('a', gone)))).to.deep.include({ event: 'neighbour-unreachable', fields });
    expect(first({ type: 'replica/withdrawn' })).to.include({ level: 'warn', event: 'acknowledgement-withdrawn' });
  });

  it('warns of the same failure of a watch once, and repeats it at debug', () => {
    const failed = { status: null, error: 'socket hang up', retryInMs: 1 };
    expect(first({ type: 'watch/failed', ...failed })?.level).to.equal('warn');
    expect(first({ type: 'watch/failed', ...failed, repeated: true })?.level).to.equal('debug');
    expect(first({ type: 'watch/unavailable', object: 'ca', ...failed })?.level).to.equal('warn');
    expect(first({ type: 'watch/unavailable', object: 'ca', ...failed, repeated: true })?.level).to.equal('debug');
  });

  it('says at error that another process uses the identity, and nothing of it at any other loss', () => {
    const levels = (reason: LossReason): readonly string[] =>
      logLinesFor({ type: 'leadership/lost', reason }, CONTEXT).map(({ level }) => level);
    expect(levels('shared-identity')).to.deep.equal(['warn', 'error']);
    expect(levels('deposed')).to.deep.equal(['warn']);
  });

  it('are at debug for a write conflict and at warn for any other failed write', () => {
    const failed = { type: 'leadership/failed', error: 'conflict', retryInMs: 1 } as const;
    expect(first({ ...failed, status: 409 })?.level).to.equal('debug');
    expect(first({ ...failed, status: 500 })?.level).to.equal('warn');
    const step: Step = { kind: 'set-rotation-request', rotate: null };
    const refused = { type: 'step/failed', step, error: 'x', retryInMs: 1, repeated: false } as const;
    expect(first({ ...refused, status: 409 })?.level).to.equal('debug');
    expect(first({ ...refused, status: 403 })?.level).to.equal('warn');
  });

  it('logs the same failure of the same write once as a warning', () => {
    const step: Step = { kind: 'set-rotation-request', rotate: null };
    const failed = { type: 'step/failed', step, status: 403, error: 'x', retryInMs: 1 } as const;
    expect(first({ ...failed, repeated: false })?.level).to.equal('warn');
    expect(first({ ...failed, repeated: true })?.level).to.equal('debug');
  });

  it('warns of an object that is set aside, and reports when it is written again', () => {
    const refused = { object: 'apiservice/v1.a', status: 422, error: 'invalid', retryInMs: 30_000 };
    expect(first({ type: 'object/refused', ...refused })).to.deep.equal({
      level: 'warn',
      event: 'object-refused',
      message: 'Object refuses our write, setting it aside',
      fields: refused,
    });
    expect(first({ type: 'object/accepted', object: 'apiservice/v1.a' })?.level).to.equal('info');
    expect(first({ type: 'ca-change/waiting', objects: ['apiservice/v1.a'] })?.fields).to.deep.equal({
      objects: ['apiservice/v1.a'],
    });
    expect(first({ type: 'ca-change/waiting', objects: [] })?.level).to.equal('info');
  });

  it('says what the next certificate waits for, and until when; the certificate itself says that it no longer does', () => {
    expect(first({ type: 'trust/settling', untilMs: 10_000 })).to.include({ level: 'info', event: 'trust-settling' });
    expect(first({ type: 'trust/settling', untilMs: 10_000 })?.fields).to.deep.equal({ until: '1970-01-01T00:00:10Z' });
    expect(first({ type: 'trust/settling', untilMs: null })).to.equal(undefined);
  });

  it('carry the full hash in every line of a rotation', () => {
    const secret = {
      resourceVersion: '1',
      hash: 'h',
      leaf: null,
      validUntil: '',
      issuer: null,
      trust: [],
      problem: null,
      otherManager: null,
    };
    const authority = { resourceVersion: '1', current: factsOf('ca'), bundle: [factsOf('ca')], otherManager: null };
    const issued: Step = { kind: 'issue-leaf', reason: 'expiring', ca: authority, plannedOn: secret };
    expect(done(issued, { object: 'secret', state: secret })?.fields).to.deep.equal({
      hash: 'h',
      reason: 'expiring',
    });
    const announced: Step = {
      kind: 'announce',
      announcement: { hash: 'h', validUntil: 'v' },
      clearsRotationRequest: true,
    };
    expect(done(announced)?.fields).to.deep.equal({ hash: 'h', validUntil: 'v' });
    const plannedOn = { resourceVersion: '1', otherManager: null, bundles: [[factsOf('ca'), factsOf('older')]] };
    const narrowing: Step = { kind: 'inject', target: 't', trust: [factsOf('ca')], plannedOn: plannedOn };
    expect(done(narrowing)?.fields).to.deep.equal({ hash: 'h', target: 't', certificates: 1 });
    const widening: Step = { ...narrowing, trust: [factsOf('new'), factsOf('ca')] };
    expect(done(widening)?.fields).to.deep.equal({ target: 't', certificates: 2 });
    const trusted = { cas: ['f00'], sinceMs: 0 };
    expect(done({ kind: 'record-trusted', trusted })?.fields).to.deep.equal({ authorities: ['f00'] });
    for (const step of [
      { kind: 'record-served', sinceMs: 0 },
      { kind: 'record-served', sinceMs: null },
      { kind: 'prune-ca-bundle', keep: [], plannedOn: authority },
    ] as const)
      expect(done(step)?.fields['hash'], step.kind).to.equal('h');
    for (const event of [
      { type: 'kubelet/nudged', hash: 'h' },
      { type: 'replica/acknowledged', hash: 'h' },
    ] as const)
      expect(first(event)?.fields).to.deep.equal({ hash: 'h' });
  });
});

describe('deduplication of log lines', () => {
  const line = (event: LineEvent, fields: Readonly<Record<string, unknown>>) =>
    ({ level: 'info', event, message: '', fields }) as const;
  const LOADED = 'certificate-loaded';

  it('logs a mismatch once per pair of hashes, and again after another certificate was loaded', () => {
    const once = dedupeLogLines();
    const mismatch = line('certificate-mismatch', { hash: 'a', filesystemHash: 'b' });
    expect(once(mismatch).level).to.equal('info');
    expect(once(mismatch).level).to.equal('debug');
    expect(once(line('certificate-mismatch', { hash: 'a', filesystemHash: 'c' })).level).to.equal('info');
    once(line(LOADED, { hash: 'a' }));
    expect(once(mismatch).level).to.equal('info');
  });

  it('lowers loading the same certificate again to debug', () => {
    const once = dedupeLogLines();
    expect(once(line(LOADED, { hash: 'a' })).level).to.equal('info');
    expect(once(line(LOADED, { hash: 'a' })).level).to.equal('debug');
    expect(once(line(LOADED, { hash: 'b' })).level).to.equal('info');
  });

  it('logs that a certificate is loaded again once it was not shown in between', () => {
    const once = dedupeLogLines();
    once(line(LOADED, { hash: 'a' }));
    once(line('served-elsewhere', { hash: 'a' }));
    expect(once(line(LOADED, { hash: 'a' })).level).to.equal('info');
  });

  for (const event of ['served-elsewhere', 'neighbour-unreachable', 'neighbour-shows-no-certificate'] as const)
    it(`keeps each ${event}, after which the certificate is news again`, () => {
      const once = dedupeLogLines();
      once(line(LOADED, { hash: 'a' }));
      expect([once(line(event, {})), once(line(event, {}))].map(({ level }) => level)).to.deep.equal(['info', 'info']);
      expect(once(line(LOADED, { hash: 'a' })).level).to.equal('info');
    });

  it('lowers loading the same certificate again to debug although other lines came in between', () => {
    const once = dedupeLogLines();
    once(line(LOADED, { hash: 'a' }));
    once(line('certificate-mismatch', { hash: 'a' }));
    expect(once(line(LOADED, { hash: 'a' })).level).to.equal('debug');
  });

  it('leaves all other lines unchanged', () => {
    const once = dedupeLogLines();
    expect([once(line('ready', {})), once(line('ready', {}))].map(({ level }) => level)).to.deep.equal([
      'info',
      'info',
    ]);
  });
});
