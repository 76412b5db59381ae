import { expect } from 'chai';
import { filter, firstValueFrom, lastValueFrom, skip, toArray } from 'rxjs';
import { allow, createWebhook, deny, Problem, type Webhook } from '../../src/embed/index.ts';
import { reviewText } from '../support/admission-review.ts';
import { call as webhookCall } from '../support/webhook-call.ts';
import { openPlace, type Place } from './place.ts';

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

const ready = (webhook: Webhook) => firstValueFrom(webhook.readiness$.pipe(filter((now) => now.ready)));

describe('createWebhook', function () {
  this.timeout(60_000);
  let place: Place;
  before(async () => {
    place = await openPlace();
  });
  after(() => place[Symbol.asyncDispose]());

  const call = async (webhook: Webhook): Promise<unknown> => {
    const { bundle } = await firstValueFrom(webhook.certificate$);
    const ca = bundle.map(({ pem }) => pem).join('');
    const where = { port: webhook.port ?? 0, path: '/validate', ca, servername: place.serverName };
    const { text } = await webhookCall({ ...where, body: reviewText() });
    const { response } = JSON.parse(text) as { readonly response: object };
    return response;
  };

  it('issues, serves and asks the handler, through a rotation, until it is stopped', async () => {
    const told: string[] = [];
    const log = (message: string) => void told.push(message);
    const webhook = await createWebhook({
      env: place.env,
      handler: ({ operation }) => (operation === 'CREATE' ? deny('not today', 422) : allow()),
      logger: { debug: () => told.push('debug'), info: log, warn: log, error: log },
    });
    expect(webhook.port).to.equal(null);
    const seen = lastValueFrom(webhook.readiness$.pipe(toArray()));
    await ready(webhook);
    expect(await call(webhook)).to.deep.include({ allowed: false, status: { message: 'not today', code: 422 } });

    const next = firstValueFrom(webhook.certificate$.pipe(skip(1)));
    const before = await firstValueFrom(webhook.certificate$);
    await place.rotate('leaf');
    const after = await next;
    expect(after.hash).not.to.equal(before.hash);
    expect(await call(webhook)).to.have.property('allowed', false);

    await webhook.stop();
    await webhook.closed;
    const readiness = await seen;
    expect(readiness.at(-1)).to.deep.include({ ready: true, reasons: [] });
    expect(await failure(call(webhook))).to.have.property('name', 'EmptyError');
    expect(told).to.include('Certificate loaded and verified').and.not.include('debug');
    expect(JSON.stringify([readiness, before, after])).not.to.match(/PRIVATE|"key"/);
  });

  it('is stopped by its signal, and in time for the next one to lead', async () => {
    const abort = new AbortController();
    const webhook = await createWebhook({
      env: place.env,
      handler: { '/validate': () => allow() },
      signal: abort.signal,
    });
    await ready(webhook);
    expect(await call(webhook)).to.have.property('allowed', true);
    abort.abort();
    await webhook.closed;
    await using another = await createWebhook({ env: place.env, handler: () => allow() });
    await ready(another);
    expect(
      await failure(createWebhook({ env: place.env, handler: () => allow(), signal: abort.signal })),
    ).to.have.property('name', 'AbortError');
  });

  it('closes with a Problem when no certificate came in time', async () => {
    const env = { ...place.env, LEADER_ELECTION: 'false', LEASE_NAME: 'nobody', CERT_TIMEOUT: '300ms' };
    const webhook = await createWebhook({ env, handler: () => allow() });
    const reason = await failure(webhook.closed);
    expect(reason)
      .to.be.instanceOf(Problem)
      .and.have.property('message', 'no certificate was served within CERT_TIMEOUT');
  });

  it('says all that is wrong with what it was given', async () => {
    const env = { ...place.env, CERT_TIMEOUT: 'soon', TLS_MIN_VERSION: '1.1' };
    const problem = await failure(createWebhook({ env, handler: () => allow() }));
    expect(problem).to.be.instanceOf(Problem);
    expect(String(problem)).to.match(/CERT_TIMEOUT="soon": .*\n.*TLS_MIN_VERSION="1.1"/);
    const twice = { ...place.env, UPSTREAM_URL: 'http://127.0.0.1:1' };
    expect(String(await failure(createWebhook({ env: twice, handler: () => allow() })))).to.match(/must not be set/);
    const none = createWebhook({ env: place.env, handler: {} });
    expect(String(await failure(none))).to.match(/the handler is no handler/);
  });
});
