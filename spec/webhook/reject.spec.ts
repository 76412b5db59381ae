import { mock } from 'node:test';
import { expect } from 'chai';
import { reject, rejectEncoded, rejectLogged, rejectNonReview, rejectOverMemory } from '../../src/webhook/reject.ts';
import { type Exchange, exchange, type Given } from '../support/exchange.ts';

const headOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (text.split('\r\n\r\n')[0] ?? '')
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(': ') as [string, string]),
  );
const bodyOf = (text: string): string => text.split('\r\n\r\n').slice(1).join('\r\n\r\n');

describe('a rejection', () => {
  it('is a plain text with its length, and leaves the connection open for the next call', async () => {
    const { response, text } = exchange();
    reject(response, 404, 'no handler for /é');
    const answer = await text();
    expect(answer).to.match(/^HTTP\/1\.1 404 /);
    expect(headOf(answer)).to.include({ 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': '19' });
    expect(headOf(answer)).to.not.have.any.keys('Allow', 'Retry-After');
    expect(bodyOf(answer)).to.equal('no handler for /é\n');
    expect([response.writableEnded, response.shouldKeepAlive]).to.deep.equal([true, true]);
  });

  it('of a method names the one that is served, and may ask for a repetition at once', async () => {
    const [method, busy] = [exchange(), exchange()];
    reject(method.response, 405, 'GET');
    reject(busy.response, 503, 'busy', 0);
    expect(headOf(await method.text())).to.include({ Allow: 'POST' });
    expect(headOf(await busy.text()))
      .to.include({ 'Retry-After': '0' })
      .and.not.have.any.keys('Allow');
  });

  it('repeats a thousand characters of a reason, and no secret', async () => {
    const [long, secret] = [exchange(), exchange()];
    reject(long.response, 500, 'a'.repeat(1_001));
    reject(secret.response, 500, '-----BEGIN PRIVATE KEY-----');
    expect(bodyOf(await long.text())).to.equal(`${'a'.repeat(1_000)}\n`);
    expect(bodyOf(await secret.text())).to.equal('the reason looks like a secret and is not shown\n');
  });

  it('after an answer has begun closes the connection, so that half an answer is not taken for a whole one', async () => {
    const { response, text } = exchange();
    response.writeHead(200);
    response.flushHeaders();
    reject(response, 500, 'too late');
    expect(response.destroyed).to.equal(true);
    expect(await text()).to.not.include('too late');
  });
});

describe('a rejection before the whole body was read', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());
  const rejected = (): Exchange & { readonly ends: () => number } => {
    const one = exchange({ complete: false });
    const end = mock.method(one.response, 'end');
    reject(one.response, 413, 'more than 5 bytes');
    return { ...one, ends: () => end.mock.callCount() };
  };

  it('is sent at once and announces that the connection is closed, which happens after half a second', async () => {
    const { response, request, text, ends } = rejected();
    const answer = await text();
    expect(headOf(answer)).to.include({ Connection: 'close', 'Content-Length': '18' });
    expect(bodyOf(answer)).to.equal('more than 5 bytes\n');
    expect([response.shouldKeepAlive, request.isPaused()]).to.deep.equal([false, false]);
    mock.timers.tick(499);
    expect(ends()).to.equal(0);
    mock.timers.tick(1);
    expect(ends()).to.equal(1);
  });

  it('is ended when the rest of the body has been read, once', () => {
    const { request, response, ends } = rejected();
    request.emit('end');
    expect([ends(), response.writableEnded]).to.deep.equal([1, true]);
    mock.timers.tick(500);
    expect(ends()).to.equal(1);
  });

  it('is not ended once the caller has closed the connection', () => {
    const { response, ends } = rejected();
    response.emit('close');
    mock.timers.tick(500);
    expect(ends()).to.equal(0);
  });
});

describe('a rejection that is logged', () => {
  const logged = () => {
    const lines: (readonly [number, string, number])[] = [];
    return { lines, rejectAndLog: rejectLogged((...line) => lines.push(line)) };
  };

  it('is told once a minute for each status, in 200 characters, and answered each time', async () => {
    const { lines, rejectAndLog } = logged();
    const all = [exchange(), exchange(), exchange()] as const;
    rejectAndLog(all[0].response, 404, 'a'.repeat(300));
    rejectAndLog(all[1].response, 404, 'b');
    rejectAndLog(all[2].response, 503, 'c', 1);
    expect(lines).to.deep.equal([
      [404, 'a'.repeat(200), 0],
      [503, 'c', 0],
    ]);
    const answers = await Promise.all(all.map(({ text }) => text()));
    expect(answers.map(bodyOf)).to.deep.equal([`${'a'.repeat(300)}\n`, 'b\n', 'c\n']);
    expect(headOf(answers[2] ?? '')).to.include({ 'Retry-After': '1' });
  });

  it('for want of memory asks for a repetition a second later, and reads no more', async () => {
    const { lines, rejectAndLog } = logged();
    const { request, response, text } = exchange({ complete: false });
    rejectOverMemory(response, rejectAndLog);
    expect(request.isPaused()).to.equal(true);
    expect(lines).to.deep.equal([[503, 'too many requests are held in memory at once', 0]]);
    expect(headOf(await text())).to.include({ 'Retry-After': '1' });
  });

  const JSON_HEADERS = { 'content-type': 'application/json' };
  const nonReview = (given: Given): string | null => {
    const { lines, rejectAndLog } = logged();
    const { request, response } = exchange(given);
    const isRejected = rejectNonReview(request, response, 10, rejectAndLog);
    expect(isRejected).to.equal(lines.length > 0);
    return lines.map(([status, reason]) => `${status}: ${reason}`)[0] ?? null;
  };

  it('concerns every method but POST', () => {
    expect(nonReview({ method: 'GET', headers: JSON_HEADERS })).to.equal(
      '405: GET is not served: webhooks are called by POST; an aggregated API needs a TLS server of its own',
    );
    expect(nonReview({ headers: JSON_HEADERS })).to.equal(null);
  });

  it('concerns every content type but JSON', () => {
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json ;x'])
      expect(nonReview({ headers: { 'content-type': type } }), type).to.equal(null);
    for (const type of ['text/plain', 'application/jsonx', 'application/json charset', 'x application/json', ''])
      expect(nonReview({ headers: { 'content-type': type } }), type).to.equal(
        '415: the content type must be application/json',
      );
    expect(nonReview({})).to.equal('415: the content type must be application/json');
  });

  it('concerns a body that is announced as too large', () => {
    const ofLength = (length: number) => ({ headers: { ...JSON_HEADERS, 'content-length': String(length) } });
    expect(nonReview(ofLength(10))).to.equal(null);
    expect(nonReview(ofLength(11))).to.equal('413: more than 10 bytes');
  });

  it('concerns every encoding of a body but none', () => {
    const encoded = (headers: Readonly<Record<string, string>>): string | null => {
      const { lines, rejectAndLog } = logged();
      const { request, response } = exchange({ headers });
      expect(rejectEncoded(request, response, rejectAndLog)).to.equal(lines.length > 0);
      return lines.map(([status, reason]) => `${status}: ${reason}`)[0] ?? null;
    };
    for (const headers of [{}, { 'content-encoding': 'identity' }, { 'content-encoding': 'Identity' }])
      expect(encoded(headers)).to.equal(null);
    expect(encoded({ 'content-encoding': 'gzip' })).to.equal(
      '415: Content-Encoding gzip is not supported: send the body uncompressed',
    );
  });
});
