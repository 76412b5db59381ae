import { expect } from 'chai';
import { firstValueFrom, type Observable, toArray } from 'rxjs';
import * as z from 'zod';
import type { KubeClient } from '../../src/kube/client.ts';
import { watchObjects } from '../../src/kube/watch-objects.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import { eventually } from './eventually.ts';
import { openSpecClient, problemOf } from './open-spec-client.ts';
import { json, type ScriptedApi, scriptedApi } from './scripted-api.ts';

const path = '/api/v1/namespaces/ns/pods';
const pod = (name: string, resourceVersion: string): object => ({ metadata: { name, resourceVersion } });
const podSchema = z.object({ metadata: z.object({ name: z.string() }) });

describe('watchObjects', () => {
  let api: ScriptedApi;
  let client: KubeClient;
  let pods: WatchPort<string>;

  beforeEach(async () => {
    api = await scriptedApi();
    client = await openSpecClient(api);
    pods = watchObjects(client, {
      path,
      query: { labelSelector: 'app=x' },
      parse: (object) => podSchema.parse(object).metadata.name,
      timeoutSeconds: () => 2_345.6,
    });
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const all = <T>(source$: Observable<T>): Promise<T[]> => firstValueFrom(source$.pipe(toArray()));
  const answerLines = (...lines: unknown[]): void =>
    api.answer((response) => response.writeHead(200).end(lines.map((one) => `${JSON.stringify(one)}\n`).join('')));

  it('lists what the selector selects, with the version it stood at', async () => {
    api.answer((response) =>
      json(response, { metadata: { resourceVersion: '7' }, items: [pod('a', '3'), pod('b', '5')] }),
    );
    expect(await all(pods.list())).to.deep.equal([{ resourceVersion: '7', items: ['a', 'b'] }]);
    expect(api.asked[0]?.url).to.equal(`${path}?labelSelector=app%3Dx`);
    api.answer((response) => json(response, { metadata: { resourceVersion: '8' }, items: null }));
    expect(await all(pods.list())).to.deep.equal([{ resourceVersion: '8', items: [] }]);
  });

  it('asks for bookmarks and for the time it is told', async () => {
    answerLines();
    expect(await all(pods.watch('7'))).to.deep.equal([{ type: 'opened' }]);
    expect(Object.fromEntries(new URL(api.asked[0]?.url ?? '', api.url).searchParams)).to.deep.equal({
      labelSelector: 'app=x',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '7',
      timeoutSeconds: '2346',
    });
  });

  it('asks anew how long at each watch, so that replicas do not come back together', async () => {
    let seconds = 1_800;
    const port = watchObjects(client, { path, parse: () => 0, timeoutSeconds: () => (seconds += 100) });
    answerLines();
    const watch$ = port.watch('1');
    await all(watch$);
    await all(watch$);
    expect(api.asked.map(({ url }) => /timeoutSeconds=(\d+)/.exec(url)?.[1])).to.deep.equal(['1900', '2000']);
  });

  it('yields what is applied, what is deleted, and bookmarks', async () => {
    answerLines(
      { type: 'ADDED', object: pod('a', '8') },
      { type: 'MODIFIED', object: pod('a', '9') },
      { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '12' } } },
      { type: 'DELETED', object: pod('a', '13') },
    );
    expect(await all(pods.watch('7'))).to.deep.equal([
      { type: 'opened' },
      { type: 'applied', resourceVersion: '8', object: 'a' },
      { type: 'applied', resourceVersion: '9', object: 'a' },
      { type: 'bookmark', resourceVersion: '12' },
      { type: 'deleted', resourceVersion: '13', object: 'a' },
    ]);
  });

  it('says that the version is too old, whether by 410 or by an ERROR line, and completes', async () => {
    api.answer((response) => json(response, { kind: 'Status', code: 410, reason: 'Expired' }, 410));
    expect(await all(pods.watch('7'))).to.deep.equal([{ type: 'expired' }]);
    answerLines(
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
      { type: 'ADDED', object: pod('a', '8') },
    );
    expect(await all(pods.watch('7'))).to.deep.equal([{ type: 'opened' }, { type: 'expired' }]);
  });

  it('yields any other ERROR event as a failure of the watch, whatever code it carries, and completes', async () => {
    const details = { retryAfterSeconds: 2 };
    answerLines({ type: 'ERROR', object: { code: 500, reason: 'InternalError', message: 'etcd is away', details } });
    expect(await all(pods.watch('7'))).to.deep.equal([
      { type: 'opened' },
      {
        type: 'failed',
        status: 500,
        error: 'watch pods in namespace "ns": 500 etcd is away',
        retryAfterMs: 2_000,
      },
    ]);
    answerLines({ type: 'ERROR', object: 'what' }, { type: 'ADDED', object: pod('a', '8') });
    expect(await all(pods.watch('7'))).to.deep.equal([
      { type: 'opened' },
      {
        type: 'failed',
        status: null,
        error: 'watch pods in namespace "ns": ERROR event without a reason',
        retryAfterMs: null,
      },
    ]);
    expect(api.asked).to.have.length(2);
  });

  it('says that the version is too old for an ERROR event that says so by its reason alone', async () => {
    answerLines({ type: 'ERROR', object: { kind: 'Status', reason: 'Expired', message: 'too old resource version' } });
    expect(await all(pods.watch('7'))).to.deep.equal([{ type: 'opened' }, { type: 'expired' }]);
  });

  it('errs on a line or a list that is none, naming the place and no value', async () => {
    for (const [value, where] of [
      [{ type: 's3cret', object: {} }, 'type'],
      [{ type: 'ADDED', object: { metadata: { name: 's3cret' } } }, 'metadata.resourceVersion'],
      [{ type: 'ADDED', object: { metadata: { resourceVersion: '1', name: ['s3cret'] } } }, 'metadata.name'],
      ['s3cret', 'the whole'],
    ] as const) {
      answerLines(value);
      const { name, message } = await problemOf(all(pods.watch('7')));
      expect(name).to.equal('KubeProblem');
      expect(message).to.contain(`at ${where} (`).and.not.contain('s3cret');
    }
    api.answer((response) => json(response, { items: [] }));
    expect((await problemOf(all(pods.list()))).message).to.contain(
      'list pods in namespace "ns": answered something else',
    );
  });

  it('lets a bug in the parser through as what it is', async () => {
    const port = watchObjects(client, {
      path,
      timeoutSeconds: () => 1,
      parse: () => {
        throw new RangeError('bug');
      },
    });
    answerLines({ type: 'ADDED', object: pod('a', '8') });
    expect((await problemOf(all(port.watch('1')))).name).to.equal('RangeError');
  });

  it('closes the connection when it is unsubscribed', async () => {
    api.answer((response) => response.writeHead(200).flushHeaders());
    const frames: unknown[] = [];
    const watch = pods.watch('7').subscribe((frame) => frames.push(frame));
    await eventually(() => frames.length === 1, 'the watch opens');
    watch.unsubscribe();
    await eventually(() => api.open() === 0, 'the connection closes');
  });
});
