import { mock } from 'node:test';
import { expect } from 'chai';
import * as z from 'zod';
import {
  ApiError,
  connectionFailure,
  decodeOrThrow,
  redact,
  statusError,
  watchEventProblem,
} from '../../src/kube/errors.ts';
import { Problem } from '../../streams/problem.ts';

const SUBJECT = 'get pods "p"';
const TOKEN = 'abcdefGHIJKLmnopqr0123456789STUVWX';

const answered = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  secret: string | null = null,
) =>
  statusError({
    subject: SUBJECT,
    status,
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    secret,
  });

describe('an error of the API server', () => {
  it('has the request, the status and the text of the server, and the reason of its Status', () => {
    const error = answered(403, { reason: 'Forbidden', message: 'pods "p" is forbidden' });
    expect(error).to.be.instanceOf(Problem);
    expect(error).to.include({
      name: 'ApiError',
      message: 'get pods "p": 403 pods "p" is forbidden',
      status: 403,
      reason: 'Forbidden',
      retryAfterMs: null,
    });
  });

  it('has the name of the status where the body explains nothing', () => {
    for (const body of ['', 'garbage', 'null', '[]', '{"message":7}', '{"message":" "}'])
      expect(answered(404, body), body).to.include({ message: 'get pods "p": 404 Not Found', reason: null });
    expect(answered(799, '').message).to.equal('get pods "p": 799 without a reason');
  });

  it('keeps what can be read of a Status with other fields of the wrong type', () => {
    const body = { code: 'x', reason: 7, message: 'text', details: { retryAfterSeconds: -1 } };
    expect(answered(500, body)).to.include({ message: 'get pods "p": 500 text', reason: null, retryAfterMs: null });
    expect(answered(500, { reason: 'R', details: 7 })).to.include({ reason: 'R', retryAfterMs: null });
  });

  it('passes on how long to wait: the header in seconds or as a date, else the hint of the Status, at most ten minutes', () => {
    const wait = (header: string | null, hint?: unknown, date?: string) =>
      answered(
        429,
        { details: { retryAfterSeconds: hint } },
        { ...(header === null ? {} : { 'retry-after': header }), ...(date === undefined ? {} : { date }) },
      ).retryAfterMs;
    expect(wait('7')).to.equal(7_000);
    expect(wait('7', 3)).to.equal(7_000);
    expect(wait(null, 3)).to.equal(3_000);
    expect(wait(null)).to.equal(null);
    expect(wait('soon')).to.equal(null);
    expect(wait('soon', 2)).to.equal(2_000);
    expect(wait('601')).to.equal(600_000);
    expect(wait(null, 601)).to.equal(600_000);
    const date = 'Mon, 23 Nov 2026 06:00:00 GMT';
    expect(wait('Mon, 23 Nov 2026 06:00:09 GMT', undefined, date)).to.equal(9_000);
    expect(wait('Mon, 23 Nov 2026 05:00:00 GMT', undefined, date)).to.equal(0);
    for (const header of ['Mon, 23 Nov 2026 06:00:09 +0000', '2026-11-23T06:00:09Z'])
      expect(wait(header, undefined, date), header).to.equal(9_000);
    mock.timers.enable({ apis: ['Date'], now: Date.parse(date) });
    try {
      expect(wait('Mon, 23 Nov 2026 06:00:04 GMT')).to.equal(4_000);
    } finally {
      mock.timers.reset();
    }
  });

  it('does not repeat the credential of the request', () => {
    expect(answered(401, { message: 'token hush is bad' }, {}, 'hush').message).to.equal(
      'get pods "p": 401 token [redacted] is bad',
    );
  });
});

describe('text from outside', () => {
  it('has its secrets replaced', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----';
    for (const [text, clean] of [
      [`a ${pem} b`, 'a [redacted] b'],
      ['a -----BEGIN PRIVATE KEY-----\nMIG', 'a [redacted]'],
      ['Authorization: Bearer abc, x', 'Authorization: Bearer [redacted], x'],
      ['basic   dXNlcg== y', 'basic [redacted] y'],
      ['{"clientKeyData":"abc"}', '{"clientKeyData":"[redacted]"}'],
      ["password = 'abc' z", "password = '[redacted]' z"],
      ['passwd:abc secret=def key-data: ghi', 'passwd:[redacted] secret=[redacted] key-data: [redacted]'],
      [`x ${TOKEN} y`, 'x [redacted] y'],
      ['  several\n\t lines  ', 'several lines'],
    ] as const)
      expect(redact(text), text).to.equal(clean);
  });

  it('keeps names, kinds with their group, and what is too short for a token', () => {
    for (const text of [
      'validatingwebhookconfigurations.admissionregistration.k8s.io0',
      'APIService.apiregistration.k8s.io.and.more.labels',
      'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
      'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL',
      'abcdefGHIJKLmnopqr0123456789STU',
    ])
      expect(redact(text), text).to.equal(text);
    expect(redact(`APIService.${'a1'.repeat(20)}`)).to.equal('[redacted]');
    expect(redact(`${TOKEN}.apiregistration.k8s.io`)).to.equal('[redacted]');
  });

  it('is cut to 600 characters, of which no secret beyond the cut is looked at', () => {
    expect(redact('y'.repeat(600))).to.equal('y'.repeat(600));
    expect(redact('y'.repeat(601))).to.equal(`${'y'.repeat(600)}…`);
    expect(redact(`${' '.repeat(5_999)}ab`)).to.equal('a');
  });

  it('is not changed by an empty or absent credential', () => {
    for (const secret of ['', null]) expect(redact('it is null', secret)).to.equal('it is null');
    expect(redact('x hush y hush', 'hush')).to.equal('x [redacted] y [redacted]');
  });
});

describe('a request without an answer', () => {
  const failure = (error: Error, secret: string | null = null) => connectionFailure(SUBJECT, error, secret);
  const coded = (message: string, code: unknown) => Object.assign(new Error(message), { code });

  it('has the message of the error, and its code unless the message has it', () => {
    expect(failure(coded('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')).message).to.equal(
      'get pods "p": connect ECONNREFUSED 127.0.0.1:1',
    );
    expect(failure(coded('socket hang up', 'ECONNRESET'))).to.include({
      message: 'get pods "p": socket hang up (ECONNRESET)',
      status: null,
      reason: null,
      retryAfterMs: null,
    });
    expect(failure(new TypeError('')).message).to.equal('get pods "p": TypeError');
    expect(failure(coded('odd', 7)).message).to.equal('get pods "p": odd');
  });

  it('has the message of the first of several errors', () => {
    const several = new AggregateError([coded('first', 'E1'), coded('second', 'E2')], '');
    expect(failure(several).message).to.equal('get pods "p": first (E1)');
    expect(failure(new AggregateError([], 'none')).message).to.equal('get pods "p": none');
    expect(failure(new AggregateError(['text'], 'no error')).message).to.equal('get pods "p": no error');
  });

  it('is untrusted where either side rejects a certificate', () => {
    for (const code of [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_OSSL_X',
      'CERT_HAS_EXPIRED',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'INVALID_CA',
    ])
      expect(failure(coded('x', code)).reason, code).to.equal('Untrusted');
    for (const code of ['ECONNRESET', 'E_CERT_', 'ENOTFOUND']) expect(failure(coded('x', code)).reason).to.equal(null);
  });

  it('does not repeat the credential, and leaves an error of this kind as it is', () => {
    expect(failure(new Error('hush'), 'hush').message).to.equal('get pods "p": [redacted]');
    const known = new ApiError('known');
    expect(failure(known)).to.equal(known);
  });
});

describe('the ERROR event of a watch', () => {
  it('has code, text and reason of its Status, and how long to wait', () => {
    const status = { code: 410, reason: 'Expired', message: 'too old', details: { retryAfterSeconds: 2 } };
    expect(watchEventProblem('watch pods', status)).to.include({
      message: 'watch pods: 410 too old',
      status: 410,
      reason: 'Expired',
      retryAfterMs: 2_000,
    });
  });

  it('is an error without code or text where it has none', () => {
    expect(watchEventProblem('w', { reason: 'Gone' }).message).to.equal('w: ERROR event Gone');
    for (const object of [null, 'x', {}, []])
      expect(watchEventProblem('w', object)).to.include({
        message: 'w: ERROR event without a reason',
        status: null,
        reason: null,
        retryAfterMs: null,
      });
  });
});

describe('decoding a response', () => {
  it('names up to three fields that are unexpected, and none of their values', () => {
    const schema = z.object({ a: z.string(), b: z.string(), c: z.string(), d: z.array(z.string()) });
    const decode = (value: unknown) => () => decodeOrThrow('the Lease', () => schema.parse(value));
    expect(decode({})).to.throw(
      ApiError,
      /^the Lease: unexpected response: a \(invalid_type\), b \(invalid_type\), c \(invalid_type\)$/,
    );
    expect(decode({ a: '', b: '', c: '', d: ['', 7] })).to.throw(/: d\.1 \(invalid_type\)$/);
    expect(decode(7)).to.throw(/: the whole \(invalid_type\)$/);
  });

  it('returns what is expected, and passes a bug on', () => {
    expect(decodeOrThrow('x', () => 7)).to.equal(7);
    const bug = new TypeError('a bug');
    expect(() =>
      decodeOrThrow('x', () => {
        throw bug;
      }),
    ).to.throw(bug);
  });
});
