import { expect } from 'chai';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeResponse } from '../../src/kube/request.ts';
import { eventually, scaled } from '../support/until.ts';
import { openSpecClient, problemOf } from './open-spec-client.ts';
import { json, type ScriptedApi, scriptedApi } from './scripted-api.ts';

const lease = { method: 'GET', path: '/apis/coordination.k8s.io/v1/namespaces/ns/leases/l' } as const;
const watch = {
  ...lease,
  path: '/apis/coordination.k8s.io/v1/namespaces/ns/leases',
  query: { watch: 'true' },
} as const;

describe('the answers the Kubernetes client gives', () => {
  let api: ScriptedApi;
  let client: KubeClient;
  let responses: KubeResponse[];

  beforeEach(async () => {
    responses = [];
    api = await scriptedApi();
    client = await openSpecClient(api, { user: { token: 's3cret' }, onResponse: (one) => responses.push(one) });
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const problem = (): ReturnType<typeof problemOf> => problemOf(firstValueFrom(client.send(lease)));

  it('sends the body as JSON under the content type asked for', async () => {
    const contentType = 'application/merge-patch+json';
    await firstValueFrom(client.send({ ...lease, method: 'PATCH', body: { a: 'ü' }, contentType }));
    await firstValueFrom(client.send({ ...lease, method: 'POST', body: {} }));
    await firstValueFrom(client.send(lease));
    expect(api.asked[0]).to.include({ method: 'PATCH', body: '{"a":"ü"}' });
    expect(api.asked.map(({ headers }) => headers['content-type'])).to.deep.equal([
      contentType,
      'application/json',
      undefined,
    ]);
  });

  it('yields one value and completes; null for an empty body', async () => {
    api.answer((response) => json(response, { some: ['ünï'] }));
    expect(await firstValueFrom(client.send(lease).pipe(toArray()))).to.deep.equal([{ some: ['ünï'] }]);
    api.answer((response) => response.writeHead(204).end());
    expect(await firstValueFrom(client.send(lease).pipe(toArray()))).to.deep.equal([null]);
  });

  it("tells a 403 in the API server's own words, which name the verb and the resource", async () => {
    const message =
      'leases.coordination.k8s.io "kubetemplater-validating-webhook-configuration" is forbidden: User ' +
      '"system:serviceaccount:ns:webhook" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "ns"';
    api.answer((response) => json(response, { kind: 'Status', reason: 'Forbidden', message }, 403));
    expect(await problem()).to.include({
      name: 'ApiError',
      status: 403,
      reason: 'Forbidden',
      retryAfterMs: null,
      message: `get leases.coordination.k8s.io "l" in namespace "ns": 403 ${message}`,
    });
  });

  it('names the verb and the resource of a 403 that does not say', async () => {
    api.answer((response) => response.writeHead(403).end('<html>no</html>'));
    const { message, reason } = await problemOf(firstValueFrom(client.stream(watch)));
    expect(message).to.equal('watch leases.coordination.k8s.io in namespace "ns": 403 Forbidden');
    expect(reason).to.equal(null);
  });

  it('passes on how long a server asks to be left alone', async () => {
    const after = async (headers: Record<string, string>, body: unknown = {}): Promise<number | null> => {
      api.answer((response) => json(response, body, 429, headers));
      return (await problem()).retryAfterMs;
    };
    expect(await after({ 'retry-after': '7' })).to.equal(7_000);
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
    expect(await after({ date, 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' })).to.equal(30_000);
    expect(await after({ date, 'retry-after': 'Wed, 21 Oct 2026 07:27:00 GMT' })).to.equal(0);
    expect(await after({ 'retry-after': 'soon' })).to.equal(null);
    expect(await after({}, { details: { retryAfterSeconds: 3 } })).to.equal(3_000);
    expect(await after({})).to.equal(null);
  });

  it('tells a 500, a 409 and a 404 by status and reason', async () => {
    for (const [status, reason] of [
      [500, 'InternalError'],
      [409, 'Conflict'],
      [404, 'NotFound'],
    ] as const) {
      api.answer((response) => json(response, { kind: 'Status', reason, message: 'm' }, status));
      expect(await problem()).to.include({ status, reason });
    }
  });

  it('never lets a secret into a message', async () => {
    const key = Buffer.from('a private key, base64 encoded, 0123456789').toString('base64');
    api.answer((response, { headers }) =>
      json(
        response,
        {
          message: `sent "${String(headers.authorization)}" s3cret; near "tls.key":"${key}"|..., -----BEGIN EC PRIVATE KEY-----\nabc`,
        },
        400,
      ),
    );
    const { message } = await problem();
    expect(message).to.contain('400 sent').and.contain('[redacted]');
    for (const secret of ['s3cret', key, 'abc']) expect(message).not.to.contain(secret);
  });

  it('bounds a message however long the answer', async () => {
    api.answer((response) => json(response, { message: 'x y '.repeat(500_000) }, 500));
    expect((await problem()).message.length).to.be.below(800);
  });

  it('errs on an answer that is not JSON, not UTF-8, or cut short, without quoting it', async () => {
    for (const body of [Buffer.from('{"token":"s3cret"'), Buffer.from([0x22, 0xff, 0x22])]) {
      api.answer((response) => response.writeHead(200).end(body));
      const { message, status } = await problem();
      expect(status).to.equal(null);
      expect(message).to.match(/^get leases.*: response of \d+ bytes is not (JSON|UTF-8)$/);
    }
    api.answer((response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setImmediate(() => response.destroy());
    });
    expect((await problem()).status).to.equal(null);
  });

  it('reports every answer once, and every request that got none', async () => {
    await firstValueFrom(client.send(lease));
    api.answer((response) => json(response, {}, 409));
    await problemOf(
      firstValueFrom(client.send({ ...lease, method: 'PATCH', path: '/api/v1/namespaces/ns/pods/p/status' })),
    );
    api.answer((response) => response.writeHead(200).end());
    await lastValueFrom(client.stream(watch));
    api.answer((response) => response.destroy());
    await problem();
    expect(responses.map(({ verb, resource, code }) => [verb, resource, code])).to.deep.equal([
      ['get', 'leases', 200],
      ['patch', 'pods/status', 409],
      ['watch', 'leases', 200],
      ['get', 'leases', null],
    ]);
    for (const { ms } of responses) expect(ms).to.be.within(0, 5_000);
  });

  it("knows how far the server's clock is from ours", async () => {
    expect(client.clockSkewMs()).to.equal(null);
    api.answer((response) => json(response, {}, 200, { date: new Date(Date.now() - 3_600_000).toUTCString() }));
    await firstValueFrom(client.send(lease));
    expect(client.clockSkewMs()).to.be.within(-3_602_000, -3_600_000);
  });

  it('opens a stream, yields its lines however they are cut, and completes with the server', async () => {
    api.answer((response) => {
      response.writeHead(200).write('{"a"');
      setImmediate(() => response.end(':1}\n\n{"b":2}\n'));
    });
    expect(await firstValueFrom(client.stream(watch).pipe(toArray()))).to.deep.equal([
      { type: 'opened' },
      { type: 'line', value: { a: 1 } },
      { type: 'line', value: { b: 2 } },
    ]);
  });

  it('errs on a garbage line after the good ones before it, and closes the connection', async () => {
    api.answer((response) => response.writeHead(200).write('{"a":1}\ns3cret\n{"c":3}\n'));
    const seen: unknown[] = [];
    const failed = await problemOf(
      new Promise((resolve, reject) =>
        client.stream(watch).subscribe({ next: (one) => seen.push(one), error: reject, complete: () => resolve(null) }),
      ),
    );
    expect(failed.message).to.equal(
      'watch leases.coordination.k8s.io in namespace "ns": response of 6 bytes is not JSON',
    );
    expect(seen).to.have.length(2);
    await eventually(() => api.open() === 0, 'the connection closes');
  });

  it('judges silence before a stream opens, and never after', async () => {
    const timeoutMs = scaled(150);
    api.answer(() => undefined);
    const { message } = await problemOf(firstValueFrom(client.stream({ ...watch, timeoutMs: 40 })));
    expect(message).to.contain('no answer within 0.04 s');
    api.answer((response) => {
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.end('{"late":true}\n'), timeoutMs + 20);
    });
    expect(await lastValueFrom(client.stream({ ...watch, timeoutMs }))).to.deep.equal({
      type: 'line',
      value: { late: true },
    });
  });

  it('keeps kind and group in the text of an error, and no token of the same length', async () => {
    for (const name of ['APIService.apiregistration.k8s.io', 'CustomResourceDefinition.apiextensions.k8s.io']) {
      const message = `${name} "v1.example" is invalid: spec.caBundle`;
      api.answer((response) => json(response, { kind: 'Status', message }, 422));
      expect((await problemOf(firstValueFrom(client.send(lease)))).message).to.contain(`422 ${message}`);
    }
    for (const secret of [
      'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789',
      `Token.${'0123456789abcdef'.repeat(4)}`,
      `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.${'aB3'.repeat(12)}`,
    ]) {
      api.answer((response) => json(response, { kind: 'Status', message: `sent ${secret}` }, 400));
      expect((await problemOf(firstValueFrom(client.send(lease)))).message, secret).to.match(/400 sent \[redacted\]$/);
    }
  });

  it('passes Retry-After on, in seconds or as a date, and no longer than ten minutes', async () => {
    const date = 'Mon, 30 Nov 2026 05:00:00 GMT';
    for (const [retryAfter, expected] of [
      ['20', 20_000],
      ['Mon, 30 Nov 2026 05:00:30 GMT', 30_000],
      ['Mon, 30 Nov 2026 04:00:00 GMT', 0],
      ['99999999999', 600_000],
      ['Tue, 30 Nov 2027 05:00:00 GMT', 600_000],
      ['soon', null],
    ] as const) {
      for (const status of [429, 503]) {
        api.answer((response) => json(response, {}, status, { 'retry-after': retryAfter, date }));
        expect(await problemOf(firstValueFrom(client.send(lease)))).to.include({ status, retryAfterMs: expected });
      }
    }
  });
});
