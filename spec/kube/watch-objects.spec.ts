import { mock } from 'node:test';
import { expect } from 'chai';
import { firstValueFrom, type Observable, toArray } from 'rxjs';
import * as z from 'zod';
import type { KubeClient } from '../../src/kube/client.ts';
import { watchObjects, watchSeconds } from '../../src/kube/watch-objects.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import { eventually } from '../support/until.ts';
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

  describe('with a limit', () => {
    const asked = (): Readonly<Record<string, string>>[] =>
      api.asked.map(({ url }) => Object.fromEntries(new URL(url, api.url).searchParams));
    const paged = (): WatchPort<string> =>
      watchObjects(client, {
        path,
        limit: 2,
        parse: (object) => podSchema.parse(object).metadata.name,
        timeoutSeconds: () => 1,
      });
    const page = (next: string | undefined, ...names: string[]) => ({
      metadata: { resourceVersion: '7', ...(next === undefined ? {} : { continue: next }) },
      items: names.map((name) => pod(name, '1')),
    });
    const expired = { kind: 'Status', code: 410, reason: 'Expired' };
    const away = { kind: 'Status', code: 500, message: 'etcd is away' };
    const answerInTurn = (...answers: readonly object[]): void => {
      let at = 0;
      api.answer((response) => {
        const answer = answers[at++]!;
        json(response, answer, 'code' in answer ? (answer.code as number) : 200);
      });
    };

    it('lists page by page what is one list to its reader', async () => {
      answerInTurn(page('2nd', 'a', 'b'), page('3rd', 'c', 'd'), page('', 'e'));
      expect(await all(paged().list())).to.deep.equal([{ resourceVersion: '7', items: ['a', 'b', 'c', 'd', 'e'] }]);
      expect(asked()).to.deep.equal([{ limit: '2' }, { limit: '2', continue: '2nd' }, { limit: '2', continue: '3rd' }]);
    });

    it('lists everything at once when the version of the first page is gone before the last', async () => {
      answerInTurn(page('2nd', 'a', 'b'), expired, page(undefined, 'b', 'c', 'd'));
      expect(await all(paged().list())).to.deep.equal([{ resourceVersion: '7', items: ['b', 'c', 'd'] }]);
      expect(asked()).to.deep.equal([{ limit: '2' }, { limit: '2', continue: '2nd' }, {}]);
    });

    it('fails as a list does when a later page fails', async () => {
      answerInTurn(page('2nd', 'a', 'b'), away);
      expect((await problemOf(all(paged().list()))).message).to.equal('list pods in namespace "ns": 500 etcd is away');
      answerInTurn(page('2nd', 'a', 'b'), expired, expired);
      expect(await problemOf(all(paged().list()))).to.include({ status: 410 });
    });
  });

  it('asks for metadata alone where that is enough, in the words for a list and for a watch', async () => {
    const port = watchObjects(client, { path, metadataOnly: true, parse: () => 0, timeoutSeconds: () => 1 });
    api.answer((response) => json(response, { metadata: { resourceVersion: '7' }, items: null }));
    await all(port.list());
    answerLines();
    await all(port.watch('7'));
    answerLines();
    await all(pods.watch('7'));
    expect(api.asked.map(({ headers }) => headers.accept)).to.deep.equal([
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      'application/json',
    ]);
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
      expect(name).to.equal('ApiError');
      expect(message).to.contain(`unexpected response: ${where} (`).and.not.contain('s3cret');
    }
    api.answer((response) => json(response, { items: [] }));
    expect((await problemOf(all(pods.list()))).message).to.contain('list pods in namespace "ns": unexpected response');
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

  it('asks the API server to keep a watch open for a second at least', async () => {
    const port = watchObjects(client, { path, parse: () => 0, timeoutSeconds: () => 0.4 });
    answerLines();
    await all(port.watch('1'));
    expect(new URL(api.asked[0]?.url ?? '', api.url).searchParams.get('timeoutSeconds')).to.equal('1');
  });

  it('says that the version is too old where the API server says that it is gone', async () => {
    api.answer((response) => json(response, {}, 410));
    expect(await all(pods.watch('7'))).to.deep.equal([{ type: 'expired' }]);
    answerLines({ type: 'ERROR', object: { kind: 'Status', reason: 'Gone' } });
    expect(await all(pods.watch('7'))).to.deep.equal([{ type: 'opened' }, { type: 'expired' }]);
  });

  it('errs on an object or a list whose version is empty, from which no watch could go on', async () => {
    answerLines({ type: 'ADDED', object: pod('a', '') });
    expect((await problemOf(all(pods.watch('7')))).message).to.contain('metadata.resourceVersion (too_small)');
    api.answer((response) => json(response, { metadata: { resourceVersion: '' }, items: [] }));
    expect((await problemOf(all(pods.list()))).message).to.contain('metadata.resourceVersion (too_small)');
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

describe('the time that a watch is kept open', () => {
  it('is between half an hour and an hour, in whole seconds, and differs from replica to replica', () => {
    const random = mock.method(Math, 'random', () => 0);
    try {
      expect(watchSeconds()).to.equal(1_800);
      random.mock.mockImplementation(() => 0.5001);
      expect(watchSeconds()).to.equal(2_700);
      random.mock.mockImplementation(() => 1);
      expect(watchSeconds()).to.equal(3_600);
    } finally {
      random.mock.restore();
    }
  });
});
