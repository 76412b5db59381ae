import { mock } from 'node:test';
import { expect } from 'chai';
import { type Observable, of, Subject, throwError } from 'rxjs';
import { recordEvents } from '../../src/cluster/event-recorder.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { leaseOf } from '../support/lease-of.ts';
import { recordingClient } from '../support/recording-client.ts';

const EVENTS = '/api/v1/namespaces/ns/events';
const POD = '/api/v1/namespaces/ns/pods/me';
const CONFIG = { leaseName: 'my-lease', namespace: 'ns', identity: 'me', kubeletNudge: true };
const NOW = '2026-11-23T06:00:00Z';
const query = { fieldManager: 'webhook-certd' };

const contested = (object = 'secret'): ReplicaEvent => ({ type: 'object/contested', object, otherManager: 'helm' });
const rejected = (reason: string): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: { type: 'certificate/rejected', hash: 'a', reason, retryable: true },
  elapsedMs: 0,
});
const leaseSeen = (uid: string | null): ReplicaEvent => ({
  type: 'lease/observed',
  lease: uid === null ? null : leaseOf('a', { uid }),
  via: 'watch',
  announces: false,
});
const fails = (status: number | null) => throwError(() => new ApiError(`failed with ${status}`, { status }));

type Answer = (request: KubeRequest) => Observable<unknown>;
const created: Answer = () => of({});
/** The answers of a cluster with this Pod, in which every Event can be created. */
const withPod: Answer = ({ method }) => of(method === 'PATCH' ? { metadata: { uid: 'pod-uid' } } : {});

const recorder = (answer: Answer, config: Partial<typeof CONFIG> = {}) => {
  const { client, sent } = recordingClient(answer);
  const logged: unknown[] = [];
  const log = (level: string) => (message: string, fields?: object) => void logged.push([level, message, fields]);
  const logger = { warn: log('warn'), debug: log('debug') } as unknown as Parameters<typeof recordEvents>[3];
  const record = recordEvents(client, { events: EVENTS, pod: POD }, { ...CONFIG, ...config }, logger);
  const bodies = () => sent.map(({ body }) => body as Readonly<Record<string, unknown>>);
  return { record, sent, logged, bodies };
};

describe('the event recorder', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.parse(NOW) }));
  afterEach(() => mock.timers.reset());

  it('creates an Event on the Lease in its namespace, with the uid of the Lease that was observed last', () => {
    const { record, sent, logged } = recorder(created);
    for (const event of [leaseSeen('old'), leaseSeen('lease-uid'), contested()]) record(event);
    const name = (sent[0]?.body as { readonly metadata: { readonly name: string } }).metadata.name;
    expect(name).to.match(/^my-lease\.[0-9a-f]{16}$/);
    expect(sent).to.deep.equal([
      {
        method: 'POST',
        path: EVENTS,
        query,
        body: {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name },
          involvedObject: {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            name: 'my-lease',
            namespace: 'ns',
            uid: 'lease-uid',
          },
          type: 'Warning',
          reason: 'SecretContested',
          message:
            'The Secret of the certificate keeps being overwritten by field manager "helm"; it is repaired once a minute',
          count: 1,
          firstTimestamp: NOW,
          lastTimestamp: NOW,
          source: { component: 'webhook-certd' },
          reportingComponent: 'webhook-certd',
          reportingInstance: 'me',
        },
      },
    ]);
    expect(logged).to.deep.equal([]);
  });

  it('creates an Event without uid while no Lease is known, and again once the Lease was deleted', () => {
    const { record, bodies } = recorder(created);
    for (const event of [contested('a'), leaseSeen('x'), leaseSeen(null), contested('b')]) record(event);
    for (const body of bodies()) expect(body['involvedObject']).not.to.have.property('uid');
  });

  it('creates nothing for an event that is none of its reasons', () => {
    const { record, sent } = recorder(created);
    record(leaseSeen('x'));
    expect(sent).to.deep.equal([]);
  });

  it('asks for the uid of its Pod by a patch that changes nothing, and once', () => {
    const { record, sent, bodies } = recorder(withPod);
    for (const event of [rejected('x'), rejected('y')]) record(event);
    expect(sent.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([
      `PATCH ${POD}/status`,
      `POST ${EVENTS}`,
      `POST ${EVENTS}`,
    ]);
    expect(sent[0]).to.deep.equal({
      method: 'PATCH',
      path: `${POD}/status`,
      query,
      contentType: 'application/merge-patch+json',
      body: {},
    });
    const pod = { apiVersion: 'v1', kind: 'Pod', name: 'me', namespace: 'ns', uid: 'pod-uid' };
    for (const body of bodies().slice(1)) expect(body['involvedObject']).to.deep.equal(pod);
  });

  it('records on its Pod without uid where patching the Pod is forbidden, and does not ask again', () => {
    const { record, sent, bodies } = recorder(({ method }) => (method === 'PATCH' ? fails(403) : of({})));
    for (const event of [rejected('x'), rejected('y')]) record(event);
    expect(sent.map(({ method }) => method)).to.deep.equal(['PATCH', 'POST', 'POST']);
    expect(bodies()[1]?.['involvedObject']).to.deep.equal({
      apiVersion: 'v1',
      kind: 'Pod',
      name: 'me',
      namespace: 'ns',
    });
  });

  it('asks again for the uid of its Pod after another failure, or an answer that has none', () => {
    const answers = [fails(500), of({ metadata: {} }), of({ metadata: { uid: 'pod-uid' } })];
    const { record, sent } = recorder(({ method }) => (method === 'PATCH' ? (answers.shift() ?? of({})) : of({})));
    for (const event of [rejected('w'), rejected('x'), rejected('y'), rejected('z')]) record(event);
    expect(sent.map(({ method }) => method).join(' ')).to.equal('PATCH POST PATCH POST PATCH POST POST');
  });

  it('does not touch its Pod with KUBELET_NUDGE=false', () => {
    const { record, sent } = recorder(withPod, { kubeletNudge: false });
    record(rejected('x'));
    expect(sent.map(({ method }) => method)).to.deep.equal(['POST']);
  });

  it('counts an Event that exists instead of creating a second one', () => {
    const existing = { metadata: { resourceVersion: '7' }, count: 3 };
    const { record, sent } = recorder(({ method }) => (method === 'POST' ? fails(409) : of(existing)));
    record(contested());
    const [post, read, patch] = sent;
    const { metadata, message } = post?.body as { metadata: { name: string }; message: string };
    const request = {
      method: 'PATCH',
      path: `${EVENTS}/${metadata.name}`,
      query,
      contentType: 'application/merge-patch+json',
    };
    expect(read).to.deep.equal({ ...request, body: {} });
    expect(patch).to.deep.equal({
      ...request,
      body: { metadata: { resourceVersion: '7' }, count: 4, message, lastTimestamp: NOW },
    });
    expect(sent).to.have.length(3);
  });

  it('counts on from one where the existing Event has no usable count', () => {
    for (const count of [undefined, 0, -1, 1.5, 'x']) {
      const existing = { metadata: { resourceVersion: '7' }, count };
      const { record, bodies } = recorder(({ method }) => (method === 'POST' ? fails(409) : of(existing)));
      record(contested());
      expect(bodies()[2], String(count)).to.include({ count: 2 });
    }
  });

  it('does not raise the count of an Event that has no version', () => {
    const { record, sent, logged } = recorder(({ method }) => (method === 'POST' ? fails(409) : of({ metadata: {} })));
    record(contested());
    expect(sent).to.have.length(2);
    expect(logged).to.have.nested.property('[0][1]', 'Event could not be written');
  });

  it('warns once that it may not write Events, and logs other failures and further ones for debugging', () => {
    const statuses = [500, 403, 403, null];
    const { record, logged } = recorder(() => fails(statuses.shift() ?? null));
    for (const object of ['a', 'b', 'c', 'd']) record(contested(object));
    const line = (level: string, status: number | null) => [
      level,
      'Event could not be written',
      { status, error: `failed with ${status}`, event: 'event-unwritten' },
    ];
    expect(logged).to.deep.equal([line('debug', 500), line('warn', 403), line('debug', 403), line('debug', null)]);
  });

  it('logs a bug in the writing of an Event, and records the next one', () => {
    const answers: Observable<unknown>[] = [throwError(() => new TypeError('a bug')), of({})];
    const { record, sent, logged } = recorder(() => answers.shift() ?? of({}));
    for (const object of ['a', 'b']) record(contested(object));
    expect(sent).to.have.length(2);
    expect(logged).to.deep.equal([
      ['debug', 'Event could not be written', { status: null, error: 'TypeError: a bug', event: 'event-unwritten' }],
    ]);
  });

  it('writes one Event after the other, with the time of its own turn', () => {
    const answers: Subject<unknown>[] = [];
    const { record, bodies } = recorder(() => {
      const answer$ = new Subject<unknown>();
      answers.push(answer$);
      return answer$;
    });
    for (const object of ['a', 'b']) record(contested(object));
    expect(bodies()).to.have.length(1);
    mock.timers.setTime(Date.parse(NOW) + 5_000);
    answers[0]?.next({});
    answers[0]?.complete();
    expect(bodies().map(({ lastTimestamp }) => lastTimestamp)).to.deep.equal([NOW, '2026-11-23T06:00:05Z']);
  });

  it('drops Events while sixteen are queued, and takes them again once one is written', () => {
    const answers: Subject<unknown>[] = [];
    const { record, sent } = recorder(() => {
      const answer$ = new Subject<unknown>();
      answers.push(answer$);
      return answer$;
    });
    const finish = (): void => answers.at(-1)?.complete();
    for (let at = 0; at < 20; at += 1) record(contested(`queued ${at}`));
    finish();
    record(contested('taken'));
    record(contested('dropped'));
    for (let at = 0; at < 30; at += 1) finish();
    const objects = sent.map(({ body }) => /caBundle of (\S+ \S+|\S+) keeps/.exec(JSON.stringify(body))?.[1]);
    expect(objects).to.deep.equal([...Array.from({ length: 16 }, (_, at) => `queued ${at}`), 'taken']);
  });
});
