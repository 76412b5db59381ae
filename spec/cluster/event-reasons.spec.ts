import { expect } from 'chai';
import { eventReasons } from '../../src/cluster/event-reasons.ts';
import { eventObject } from '../../src/cluster/event-recorder.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { loads } from '../support/loads.ts';
import { pairOf } from '../support/pair-of.ts';

const served = (hash: string): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: { type: 'certificate/served', pair: pairOf(hash), untrusted: null },
  elapsedMs: 0,
});
const rejected = (hash: string, reason: string): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: { type: 'certificate/rejected', hash, reason, retryable: true },
  elapsedMs: 0,
});
const done = (step: Step): ReplicaEvent => ({ type: 'step/done', step, touched: null });

describe('the notices', () => {
  const messages = (...events: readonly ReplicaEvent[]): readonly string[] => {
    const notice = eventReasons();
    return events.flatMap((event) => notice(event)?.message ?? []);
  };

  it('tell an adoption once a certificate, and again when it comes back', () => {
    expect(messages(served('a'), served('a'), served('b'), served('a'))).to.deep.equal(
      ['a', 'b', 'a'].map((hash) => `Serves certificate ${hash}, valid until 1970-01-01T01:00:00Z`),
    );
  });

  it('tell a rejection once a reason, and again after something was served', () => {
    expect(
      messages(rejected('a', 'x'), rejected('a', 'x'), rejected('a', 'y'), served('b'), rejected('a', 'y')),
    ).to.have.length(4);
  });

  it('report each problem of a watched object once, and again after it was gone', () => {
    const { secret, ...rest } = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' });
    if (typeof secret === 'string') return expect.fail(secret);
    const observed = (problem: string | null, resourceVersion = '1'): ReplicaEvent => ({
      type: 'cluster/observed',
      observed: { ...rest, secret: { ...secret, problem, resourceVersion } },
    });
    const [one, gone] = [observed('its key is encrypted'), observed(null)];
    const reported = 'The certificate in the Secret cannot be used: its key is encrypted';
    expect(messages(one, one, gone, one)).to.deep.equal([reported, reported]);
    expect(messages(one, observed('its key is encrypted', '2'))).to.deep.equal([reported, reported]);
  });

  it('report a Secret of another party that is not overwritten', () => {
    const { secret, ...rest } = clusterOf.observed({ ca: 'A', secret: 'x1:X foreign', targets: ['A'] });
    const event: ReplicaEvent = { type: 'cluster/observed', observed: { ...rest, secret } };
    expect(eventReasons()(event)).to.include({ type: 'Warning', reason: 'CertificateUnusable' });
    expect(messages(event)).to.deep.equal([
      'The Secret of another party is not overwritten: it is not for this Service',
    ]);
  });

  it('warn once of a certificate that the server beside the replica does not show, and tell when it does', () => {
    const notShown: ReplicaEvent = { type: 'certificate/concluded', load: loads.notShown('a'), elapsedMs: 0 };
    const notice = eventReasons();
    const told = [served('a'), notShown, served('a'), served('a')].map((event) => notice(event)?.reason);
    expect(told).to.deep.equal(['CertificateAdopted', 'CertificateNotShown', 'CertificateAdopted', undefined]);
    expect(eventReasons()(notShown)).to.deep.include({ about: 'pod', type: 'Warning', key: 'served-elsewhere' });
    expect(messages(notShown)[0]).to.match(/^The server in this Pod does not show certificate a: served-elsewhere: /);
  });

  it('report two problems one after the other', () => {
    const quiet = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' });
    const observed: ReplicaEvent = {
      type: 'cluster/observed',
      observed: { ...quiet, targets: ['x', 'y'].map((id) => ({ id, state: 'absent' as const })) },
    };
    expect(messages(observed, observed, observed)).to.deep.equal([
      'A caBundle target cannot be written: x does not exist',
      'A caBundle target cannot be written: y does not exist',
    ]);
  });

  it('are silent about writes that concern nobody', () => {
    expect(
      messages(done({ kind: 'record-served', sinceMs: 1 }), done({ kind: 'set-rotation-request', rotate: null }), {
        type: 'leadership/renewed',
      }),
    ).to.deep.equal([]);
  });

  it('name the rival in a fight, each target for itself', () => {
    const notice = eventReasons();
    const told = ['apiservice/a', 'apiservice/b'].map((target) =>
      notice({ type: 'object/contested', object: target, otherManager: 'helm' }),
    );
    expect(told.map((one) => [one?.type, one?.reason, one?.key])).to.deep.equal([
      ['Warning', 'CaBundleContested', 'apiservice/a'],
      ['Warning', 'CaBundleContested', 'apiservice/b'],
    ]);
    expect(told[0]?.message).to.include('"helm"');
  });

  it('tell a fight over a Secret or the announcement by the matter', () => {
    const notice = eventReasons();
    const told = ['secret', 'ca', 'announcement'].map((object) =>
      notice({ type: 'object/contested', object, otherManager: null }),
    );
    expect(told.map((one) => [one?.reason, one?.key])).to.deep.equal([
      ['SecretContested', 'secret'],
      ['SecretContested', 'ca'],
      ['AnnouncementContested', 'announcement'],
    ]);
  });

  it('warn of an object that refuses its write, with the reason', () => {
    const object = 'apiservice/v1.a';
    const notice = eventReasons()({ type: 'object/refused', object, status: 422, error: 'invalid', retryInMs: 1 });
    expect([notice?.type, notice?.reason, notice?.key]).to.deep.equal(['Warning', 'WriteRefused', object]);
    expect(notice?.message).to.include('apiservice/v1.a').and.to.include('invalid');
  });
});

describe('the Event of', () => {
  const issued = clusterOf.observed({ secret: 'a1:A' }).secret;
  if (typeof issued === 'string') throw new Error(issued);
  const cluster = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['A'] });
  const ca = typeof cluster.ca === 'string' ? null : cluster.ca;
  if (ca === null) throw new Error('no CA');
  const missing: ReplicaEvent = {
    type: 'cluster/observed',
    observed: { ...cluster, targets: [{ id: 'apiservice/x', state: 'absent' }] },
  };
  const announcement = { hash: 'a', validUntil: '2026-12-06T11:12:18Z' };
  const step = (step: Step, touched: Extract<ReplicaEvent, { type: 'step/done' }>['touched'] = null): ReplicaEvent => ({
    type: 'step/done',
    step,
    touched,
  });
  const leaf: Step = { kind: 'issue-leaf', reason: 'expiring', ca, plannedOn: 'absent' };
  const fight = (object: string, otherManager: string | null): ReplicaEvent => ({
    type: 'object/contested',
    object,
    otherManager,
  });
  const repaired = 'it is repaired once a minute';

  const rows: readonly (readonly [string, ReplicaEvent, ReturnType<ReturnType<typeof eventReasons>>])[] = [
    [
      'a new CA',
      step({ kind: 'issue-ca', reason: 'missing', keep: [], plannedOn: 'absent' }),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'AuthorityIssued',
        key: '',
        message: 'Made a certificate authority (missing)',
      },
    ],
    [
      'a new leaf',
      step(leaf, { object: 'secret', state: issued }),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'CertificateIssued',
        key: '',
        message: 'Issued certificate a1 (expiring)',
      },
    ],
    [
      'a new leaf whose Secret is not known',
      step(leaf),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'CertificateIssued',
        key: '',
        message: 'Issued certificate  (expiring)',
      },
    ],
    [
      'a new leaf after which another object was read',
      step(leaf, { object: 'ca', state: ca }),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'CertificateIssued',
        key: '',
        message: 'Issued certificate  (expiring)',
      },
    ],
    [
      'a copy of what another program issued',
      step({ kind: 'copy-secret', source: issued, plannedOn: 'absent', trust: [], acceptedBy: [] }),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'CertificateCopied',
        key: '',
        message: 'Copied certificate a1 from SOURCE_SECRET',
      },
    ],
    [
      'an announcement',
      step({ kind: 'announce', announcement, clearsRotationRequest: false }),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'CertificateAnnounced',
        key: '',
        message: 'Announced certificate a, valid until 2026-12-06T11:12:18Z',
      },
    ],
    [
      'a pruned bundle',
      step({ kind: 'prune-ca-bundle', keep: [], plannedOn: ca }),
      {
        about: 'lease',
        type: 'Normal',
        reason: 'AuthoritiesNarrowed',
        key: '',
        message: 'Dropped the older authority: every replica serves the new certificate',
      },
    ],
    ['an extended bundle', step({ kind: 'extend-ca-bundle', keep: [], plannedOn: ca }), null],
    [
      'a contended caBundle',
      fight('apiservice/x', 'helm'),
      {
        about: 'lease',
        type: 'Warning',
        reason: 'CaBundleContested',
        key: 'apiservice/x',
        message: `caBundle of apiservice/x keeps being overwritten by field manager "helm"; ${repaired}`,
      },
    ],
    [
      'a contended Secret',
      fight('secret', null),
      {
        about: 'lease',
        type: 'Warning',
        reason: 'SecretContested',
        key: 'secret',
        message: `The Secret of the certificate keeps being overwritten by an unnamed field manager; ${repaired}`,
      },
    ],
    [
      'a contended SECRET-ca',
      fight('ca', null),
      {
        about: 'lease',
        type: 'Warning',
        reason: 'SecretContested',
        key: 'ca',
        message: `The Secret of the CA keeps being overwritten by an unnamed field manager; ${repaired}`,
      },
    ],
    [
      'a contended announcement',
      fight('announcement', 'x'),
      {
        about: 'lease',
        type: 'Warning',
        reason: 'AnnouncementContested',
        key: 'announcement',
        message: `The announcement on this Lease keeps being overwritten by field manager "x"; ${repaired}`,
      },
    ],
    [
      'a missing target',
      missing,
      {
        about: 'lease',
        type: 'Warning',
        reason: 'TargetMissing',
        key: 'missing-target apiservice/x',
        message: 'A caBundle target cannot be written: apiservice/x does not exist',
      },
    ],
    [
      'a refused write',
      { type: 'object/refused', object: 'apiservice/x', status: 422, error: 'invalid', retryInMs: 1 },
      {
        about: 'lease',
        type: 'Warning',
        reason: 'WriteRefused',
        key: 'apiservice/x',
        message: 'The write of apiservice/x is refused, it is set aside: invalid',
      },
    ],
    [
      'an adoption',
      served('a'),
      {
        about: 'pod',
        type: 'Normal',
        reason: 'CertificateAdopted',
        key: '',
        message: 'Serves certificate a, valid until 1970-01-01T01:00:00Z',
      },
    ],
    [
      'a rejection',
      rejected('a', 'expired'),
      {
        about: 'pod',
        type: 'Warning',
        reason: 'CertificateRejected',
        key: '',
        message: 'Rejected certificate a: expired',
      },
    ],
    [
      'a load without announcement',
      {
        type: 'certificate/concluded',
        load: { type: 'certificate/unannounced', malformed: 'x' },
        elapsedMs: 0,
      },
      null,
    ],
  ];
  for (const [what, event, expected] of rows)
    it(`${what} is ${expected === null ? 'none' : `${expected.reason} on the ${expected.about}`}`, () => {
      expect(eventReasons()(event)).to.deep.equal(expected);
    });
});

describe('the object of an Event', () => {
  const told = {
    about: { apiVersion: 'v1', kind: 'Pod', name: 'pod-0', namespace: 'ns', uid: null },
    type: 'Normal',
    reason: 'CertificateAdopted',
    key: '',
    message: 'Serves',
    component: 'webhook-certd',
    instance: 'pod-0',
    nowMs: 0,
  } as const;
  const name = (rest: object): string => eventObject({ ...told, ...rest }).metadata.name;

  it('has one name for one matter, whoever tells it and whatever it says now', () => {
    expect(name({ message: 'other', nowMs: 9, instance: 'pod-1' })).to.equal(name({}));
    const others = [
      name({ reason: 'CertificateRejected' }),
      name({ key: 'k' }),
      name({ about: { ...told.about, kind: 'Lease' } }),
    ];
    expect(new Set([...others, name({})]).size).to.equal(4);
  });

  it('keeps dashes and dots within the name, and none before the digest', () => {
    const named = (length: number) => name({ about: { ...told.about, name: `a-b.c${'-.'.repeat(length)}` } });
    for (const length of [0, 1, 2]) expect(named(length)).to.match(/^a-b\.c\.[0-9a-f]{16}$/);
  });

  it('has its message as it is up to 250 characters, and cut to that', () => {
    const message = (length: number) => eventObject({ ...told, message: 'ä'.repeat(length) }).message;
    expect(message(250)).to.equal('ä'.repeat(250));
    expect(message(251)).to.equal(`${'ä'.repeat(249)}…`);
  });

  it('has a name that an object may have, and a message that an Event may have', () => {
    const long = eventObject({
      ...told,
      about: { ...told.about, name: `${'a'.repeat(230)}...tail${'b'.repeat(30)}` },
      message: 'ü'.repeat(2_000),
    });
    expect(long.metadata.name).to.have.length.at.most(253);
    expect(long.metadata.name).to.match(/[a-z0-9]\.[0-9a-f]{16}$/);
    expect(Buffer.byteLength(long.message)).to.be.at.most(1_024);
    expect(long.message.endsWith('…')).to.equal(true);
  });
});
