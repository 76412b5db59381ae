import { expect } from 'chai';
import { callHandler } from '../../src/author/call-handler.ts';
import { requestOf } from '../../src/author/review.ts';
import type { AdmissionHandler, AdmissionRequest } from '../../src/webhook/admission-types.ts';
import { allow, deny, jsonPatch, mutate } from '../../src/webhook/handler-api.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'shop' }, spec: { containers: [] } };

const reasonOf = (called: Promise<unknown>): Promise<string> =>
  called.then(
    () => 'no failure',
    (error: unknown) => (error as Error).message,
  );

describe('callHandler', () => {
  it('returns what the user sees of an admission: warnings, audit annotations and the object unchanged', async () => {
    const remarks = { warnings: ['soon'], auditAnnotations: { rule: 'seven' } };
    expect(await callHandler(() => allow(remarks), { object: pod })).to.deep.equal({
      allowed: true,
      message: null,
      code: null,
      ...remarks,
      patch: [],
      object: pod,
    });
  });

  it('returns message and code of a denial, and no object', async () => {
    const { allowed, message, code, object } = await callHandler(() => deny('no host network', 422), { object: pod });
    expect({ allowed, message, code, object }).to.deep.equal({
      allowed: false,
      message: 'no host network',
      code: 422,
      object: null,
    });
  });

  it('applies every operation of a patch to the object that it returns', async () => {
    const handler: AdmissionHandler<typeof pod> = ({ object }) =>
      mutate(object, { ...object, spec: { containers: [{ name: 'b' }] } });
    const { patch, object } = await callHandler(handler, { object: pod });
    expect(patch).to.deep.equal([{ op: 'add', path: '/spec/containers/0', value: { name: 'b' } }]);
    expect(object).to.deep.equal({ ...pod, spec: { containers: [{ name: 'b' }] } });
    const moved = await callHandler(
      () =>
        jsonPatch([
          { op: 'move', from: '/metadata/namespace', path: '/metadata/name' },
          { op: 'copy', from: '/metadata/name', path: '/spec/nodeName' },
        ]),
      { object: pod },
    );
    expect(moved.object).to.deep.equal({
      ...pod,
      metadata: { name: 'shop' },
      spec: { containers: [], nodeName: 'shop' },
    });
  });

  it('rejects with the reason where the API server would get no usable answer', async () => {
    const failing = () => {
      throw new Error('boom');
    };
    expect(await reasonOf(callHandler(failing, { object: pod }))).to.equal('the handler failed: boom');
    const misspelt = (() => ({ alowed: true })) as unknown as AdmissionHandler;
    expect(await reasonOf(callHandler(misspelt, { object: pod }))).to.match(/not an AdmissionResponse: .*alowed/);
    const inapplicable = () => jsonPatch([{ op: 'remove', path: '/spec/none' }]);
    expect(await reasonOf(callHandler(inapplicable, { object: pod }))).to.match(/refuse the patch, .*spec\/none/);
    expect(await reasonOf(callHandler({ '/a': () => allow() }, { object: pod, path: '/b' }))).to.equal(
      'no handler for /b',
    );
    expect(await reasonOf(Promise.try(() => callHandler(() => allow(), { object: { kind: 'Pod' } })))).to.match(
      /no apiVersion/,
    );
  });

  it('passes path, user and log on to the handler', async () => {
    const lines: string[] = [];
    const seen: unknown[] = [];
    const log = { debug: () => undefined, info: (line: string) => lines.push(line), warn: () => undefined };
    const handler: AdmissionHandler = ({ userInfo }, context) => {
      context.log.info('asked');
      seen.push(context.path, userInfo.username, context.signal.aborted);
      return allow();
    };
    const call = { object: pod, path: '/b', userInfo: { username: 'eve' } };
    await callHandler({ '/b': handler }, { ...call, log: { ...log, error: () => undefined } });
    expect([lines, seen]).to.deep.equal([['asked'], ['/b', 'eve', false]]);
  });
});

describe('the request for an attempt', () => {
  it('has the fields of the object, as the API server fills them', () => {
    const { uid, userInfo, ...request } = requestOf({ object: pod });
    const kind = { group: '', version: 'v1', kind: 'Pod' };
    const resource = { group: '', version: 'v1', resource: 'pods' };
    expect(request).to.deep.equal({
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: 'a',
      namespace: 'shop',
      operation: 'CREATE',
      object: pod,
      oldObject: null,
      dryRun: false,
      options: null,
    });
    expect([uid.length, userInfo.username]).to.deep.equal([36, 'kubernetes-admin']);
  });

  it('guesses the resource as apimachinery does', () => {
    const resourceOf = (kind: string): string => requestOf({ object: { apiVersion: 'a/v1', kind } }).resource.resource;
    expect(['Ingress', 'NetworkPolicy', 'Endpoints', 'ConfigMap'].map(resourceOf)).to.deep.equal([
      'ingresses',
      'networkpolicies',
      'endpoints',
      'configmaps',
    ]);
  });

  it('is an update with an old object, and has the object as the old one on a delete', () => {
    const shown = ({ operation, object, oldObject }: AdmissionRequest) => [operation, object, oldObject];
    const old = { ...pod, spec: {} };
    expect(shown(requestOf({ object: pod, oldObject: old }))).to.deep.equal(['UPDATE', pod, old]);
    expect(shown(requestOf({ object: pod, operation: 'DELETE' }))).to.deep.equal(['DELETE', null, pod]);
  });
});
