import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { mock } from 'node:test';
import { expect } from 'chai';
import { monotonicMs } from '../../src/util/time.ts';
import { handshakeError, handshakeReason, reportConnectionError } from '../../src/webhook/connection-errors.ts';
import {
  closeGracefully,
  defaultLimits,
  drainConnections,
  enforceTimeouts,
} from '../../src/webhook/connection-policy.ts';
import type { Connection, Connections } from '../../src/webhook/connections.ts';
import { monotonicClock } from '../support/monotonic-clock.ts';

const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const GOODBYE = 'HTTP/1.1 503 Leaving\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** A socket that records how it is closed. */
const fakeSocket = (bytesRead = 0, writable = true) => {
  const closed: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    bytesRead,
    writable,
    end: (text: string) => void closed.push(text),
    destroy: () => void closed.push('destroyed'),
  });
  return { closed, socket: socket as unknown as Socket };
};
const fake = <T>(part: Partial<T>): T => part as T;
const exchange = (agoMs: number, { complete = true, headersSent = false } = {}) => ({
  request: fake<IncomingMessage>({ complete }),
  response: fake<ServerResponse>({ headersSent, shouldKeepAlive: true }),
  sinceMs: monotonicMs() - agoMs,
});
const connection = (rest: Partial<Connection> = {}, socket = fakeSocket()) => ({
  closed: socket.closed,
  one: {
    socket: socket.socket,
    generation: 0,
    order: 0,
    stage: 'used' as const,
    exchanges: new Set<ReturnType<typeof exchange>>(),
    idleSinceMs: monotonicMs(),
    bytesWhenIdle: 0,
    headerSinceMs: null,
    ...rest,
  },
});
const registry = (...connections: readonly Connection[]) =>
  ({
    all: () => connections.values(),
    idle: () => connections.filter(({ exchanges, stage }) => exchanges.size === 0 && stage !== 'closing').values(),
  }) as unknown as Connections;

/** Closes no timer of its own accord: each spec lets the connection close. */
const letClose = ({ one }: { readonly one: Connection }): void => void one.socket.emit('close');

describe('the time limits of connections', () => {
  const enforced = (held: ReturnType<typeof connection>) => {
    const reported: string[][] = [];
    enforceTimeouts(registry(held.one), defaultLimits, (kind, reason) => void reported.push([kind, reason]));
    letClose(held);
    return { reported, closed: held.closed, stage: held.one.stage };
  };
  const untouched = (stage: string) => ({ reported: [], closed: [], stage });

  it('leave alone what is within them', () => {
    expect(enforced(connection({ exchanges: new Set([exchange(29_000, { complete: false })]) }))).to.deep.equal(
      untouched('used'),
    );
    expect(enforced(connection({ exchanges: new Set([exchange(64_000)]) }))).to.deep.equal(untouched('used'));
    expect(enforced(connection({ headerSinceMs: monotonicMs() - 9_000 }, fakeSocket(1)))).to.deep.equal(
      untouched('used'),
    );
  });

  it('end a body that is not complete in time, with a 408', () => {
    const held = connection({ exchanges: new Set([exchange(30_001, { complete: false })]) });
    expect(enforced(held)).to.deep.equal({
      reported: [['slow-body', 'the body was not complete in time']],
      closed: [TIMED_OUT],
      stage: 'closing',
    });
  });

  it('end a body that is not complete in time without a second answer', () => {
    const held = connection({ exchanges: new Set([exchange(30_001, { complete: false, headersSent: true })]) });
    expect(enforced(held))
      .to.include({ stage: 'used' })
      .and.to.deep.include({ closed: ['destroyed'] });
  });

  it('end an answer that is not received in time, without another', () => {
    expect(enforced(connection({ exchanges: new Set([exchange(65_001)]) }))).to.deep.equal({
      reported: [['slow-reader', 'the answer was not received in time']],
      closed: ['destroyed'],
      stage: 'used',
    });
  });

  it('end a header that is not complete in time, counted from its first byte', () => {
    const held = connection({ headerSinceMs: monotonicMs() - 10_001 }, fakeSocket(1));
    expect(enforced(held)).to.deep.equal({
      reported: [['slow-header', 'the header was not complete in time']],
      closed: [TIMED_OUT],
      stage: 'closing',
    });
    const first = connection({ stage: 'unused' }, fakeSocket(1));
    expect(enforced(first)).to.deep.equal(untouched('unused'));
    expect(first.one.headerSinceMs).to.be.a('number');
  });

  it('see no header during the handshake, during a request, or where no byte has come since the last', () => {
    const late = { headerSinceMs: monotonicMs() - 20_000 };
    expect(enforced(connection({ ...late, stage: 'handshaking' }, fakeSocket(1)))).to.deep.equal(
      untouched('handshaking'),
    );
    expect(enforced(connection({ ...late, exchanges: new Set([exchange(1)]) }, fakeSocket(1)))).to.deep.equal(
      untouched('used'),
    );
    expect(enforced(connection({ ...late, bytesWhenIdle: 7 }, fakeSocket(7)))).to.deep.equal(untouched('used'));
  });

  it('are over at their last millisecond, and not before', () => {
    using clock = monotonicClock();
    const kindsAfter = (ms: number, started: () => ReturnType<typeof connection>) => {
      const held = started();
      clock.nowMs += ms;
      return enforced(held).reported.map(([kind]) => kind);
    };
    const body = () => connection({ exchanges: new Set([exchange(0, { complete: false })]) });
    const whole = () => connection({ exchanges: new Set([exchange(0)]) });
    const header = () => connection({ headerSinceMs: monotonicMs() }, fakeSocket(1));
    for (const [started, limitMs, kind] of [
      [body, defaultLimits.requestTimeoutMs, 'slow-body'],
      [whole, defaultLimits.exchangeTimeoutMs, 'slow-reader'],
      [header, defaultLimits.headersTimeoutMs, 'slow-header'],
    ] as const) {
      expect(kindsAfter(limitMs - 1, started)).to.deep.equal([]);
      expect(kindsAfter(limitMs, started)).to.deep.equal([kind]);
    }
  });

  it('do not apply to a connection that is closing', () => {
    const held = connection({ stage: 'closing', exchanges: new Set([exchange(70_000)]) });
    expect(enforced(held)).to.deep.equal(untouched('closing'));
  });
});

describe('draining', () => {
  const quiet = () => connection({ idleSinceMs: monotonicMs() - 1_001 });

  it('closes by a goodbye what has been idle for long enough, and nothing that has not', async () => {
    const [idle, recent] = [quiet(), connection({ idleSinceMs: monotonicMs() - 100 })];
    await drainConnections(registry(idle.one, recent.one), () => true, 1_000);
    expect([idle.closed, recent.closed]).to.deep.equal([[GOODBYE], []]);
    letClose(idle);
  });

  it('closes what has been idle for exactly as long as is asked', async () => {
    using clock = monotonicClock();
    const idle = connection();
    clock.nowMs += 1_000;
    await drainConnections(registry(idle.one), () => true, 1_000);
    expect(idle.closed).to.deep.equal([GOODBYE]);
    letClose(idle);
  });

  it('closes a busy connection by its next answer', async () => {
    const busy = exchange(1);
    const held = connection({ idleSinceMs: monotonicMs() - 5_000, exchanges: new Set([busy]) });
    await drainConnections(registry(held.one), () => true, 1_000);
    expect(held.closed).to.deep.equal([]);
    expect(busy.response.shouldKeepAlive).to.equal(false);
  });

  it('leaves alone what is not to leave', async () => {
    const busy = exchange(1);
    const [idle, held] = [quiet(), connection({ exchanges: new Set([busy]) })];
    await drainConnections(registry(idle.one, held.one), () => false, 1_000);
    expect([idle.closed, held.closed, busy.response.shouldKeepAlive]).to.deep.equal([[], [], true]);
  });

  it('reads what has arrived before it says goodbye', async () => {
    const held = quiet();
    const drained = drainConnections(registry(held.one), () => true, 1_000);
    held.one.exchanges.add(exchange(0));
    await drained;
    expect(held.closed).to.deep.equal([]);
  });
});

describe('closing gracefully', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('sends the last response, and closes after a second at the latest', () => {
    const { one, closed } = connection();
    closeGracefully(one, 'bye');
    expect(one.stage).to.equal('closing');
    mock.timers.tick(999);
    expect(closed).to.deep.equal(['bye']);
    mock.timers.tick(1);
    expect(closed).to.deep.equal(['bye', 'destroyed']);
  });

  it('adds nothing to an answer that is on its way', () => {
    const { one, closed } = connection();
    closeGracefully(one);
    expect(closed).to.deep.equal(['']);
  });

  it('waits no longer than until the caller has closed', () => {
    const held = connection();
    closeGracefully(held.one, 'bye');
    letClose(held);
    mock.timers.tick(5_000);
    expect(held.closed).to.deep.equal(['bye']);
  });

  it('writes nothing to a socket that has ended', () => {
    const { one, closed } = connection({}, fakeSocket(0, false));
    closeGracefully(one, 'bye');
    expect(closed).to.deep.equal([]);
    mock.timers.tick(1_000);
    expect(closed).to.deep.equal(['destroyed']);
  });
});

describe('a failed handshake', () => {
  it('is classified by its code', () => {
    for (const [code, kind] of [
      ['ERR_TLS_HANDSHAKE_TIMEOUT', 'handshake-timeout'],
      ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls-version'],
      ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls-version'],
      ['ERR_SSL_VERSION_TOO_LOW', 'tls-version'],
      ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'certificate-refused'],
      ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate-refused'],
      ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'certificate-refused'],
      ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate-refused'],
      ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'client-certificate'],
      ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'client-certificate'],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', 'client-certificate'],
      ['SELF_SIGNED_CERT_IN_CHAIN', 'client-certificate'],
      ['CERT_HAS_EXPIRED', 'client-certificate'],
      ['ECONNRESET', 'handshake-aborted'],
      ['EPIPE', 'handshake-aborted'],
      ['ERR_SSL_WRONG_VERSION_NUMBER', 'handshake-failed'],
      ['X_ERR_TLS_HANDSHAKE_TIMEOUT', 'handshake-failed'],
      ['X_ECONNRESET', 'handshake-failed'],
      ['ECONNRESETX', 'handshake-failed'],
      ['NO_CERT_', 'handshake-failed'],
      ['ERR_TLS_HANDSHAKE_TIMEOUT_X', 'handshake-failed'],
    ] as const)
      expect(handshakeError(Object.assign(new Error('x'), { code })), code).to.equal(kind);
    expect(handshakeError(new Error('x'))).to.equal('handshake-failed');
  });

  it('is explained by the reason of OpenSSL, else by the message without advice for clients', () => {
    const reason = (error: Error, peer: string | undefined = '10.0.0.1') => handshakeReason(error, peer, 'TLSv1.3');
    expect(reason(Object.assign(new Error('long'), { reason: 'short' }))).to.equal('short');
    const advice = 'if the root CA is installed locally, try running Node.js with --use-system-ca';
    for (const text of [`bad; ${advice}`, `bad ${advice}`, `bad;${advice}`, `bad${advice}`])
      expect(reason(new Error(text))).to.equal('bad');
    const old = Object.assign(new Error('x'), { code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' });
    const explained = 'offers only TLS versions older than TLS_MIN_VERSION=1.3';
    expect(reason(old)).to.equal(`10.0.0.1 ${explained}`);
    expect(handshakeReason(old, undefined, 'TLSv1.3')).to.equal(`the peer ${explained}`);
  });

  it('is reported once a minute for each kind and cause', () => {
    const seen: unknown[] = [];
    const report = reportConnectionError(({ kind, reason, emit }) => seen.push([kind, reason, emit]));
    report('slow-body', 'a');
    report('slow-body', 'a');
    report('slow-body', 'b');
    report('slow-header', 'a');
    report('tls-version', 'from x', 'cause');
    report('tls-version', 'from y', 'cause');
    expect(seen).to.deep.equal([
      ['slow-body', 'a', true],
      ['slow-body', 'a', false],
      ['slow-body', 'b', true],
      ['slow-header', 'a', true],
      ['tls-version', 'from x', true],
      ['tls-version', 'from y', false],
    ]);
  });
});
