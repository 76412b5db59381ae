import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { runTry, type TryOptions } from '../../src/author/try.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const REQUIRE_LABELS = 'examples/handlers/require-labels.ts';
const DEFAULT_FIELD = 'examples/handlers/default-field.ts';
const DEPLOYMENT = 'examples/objects/deployment.yaml';
const ACCOUNT = 'examples/objects/serviceaccount.yaml';

const DEFAULTS: TryOptions = { operation: null, old: null, path: null, user: null, json: false };

describe('webhook-certd try', () => {
  let folder: TemporaryDirectory;
  before(async () => {
    folder = await temporaryDirectory();
  });
  after(() => folder[Symbol.asyncDispose]());

  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder.path, name);
    await writeFile(file, text);
    return file;
  };
  const tried = async (handler: string, file: string, options: Partial<TryOptions> = {}) => {
    const lines: string[] = [];
    const dependencies = { print: (text: string) => void lines.push(text), directory: '.' };
    const code = await runTry([handler, file], { ...DEFAULTS, ...options }, dependencies);
    return { code, text: lines.join('\n') };
  };
  const problemOf = (handler: string, file: string, options: Partial<TryOptions> = {}): Promise<string> =>
    tried(handler, file, options).then(
      () => 'no problem',
      (error: unknown) => (error as Error).message,
    );

  it('prints admission and warnings, with exit code 0', async () => {
    expect(await tried(REQUIRE_LABELS, DEPLOYMENT)).to.deep.equal({
      code: 0,
      text: '✔ allowed  Deployment default/shop\n  warning  label cost-center will be required from next year on',
    });
  });

  it('prints patch and audit annotations of the path that is asked for', async () => {
    expect(await tried(DEFAULT_FIELD, ACCOUNT, { path: '/mutate' })).to.deep.equal({
      code: 0,
      text: [
        '✔ allowed  ServiceAccount default/builder',
        '  patch    add /automountServiceAccountToken false',
        '  audit    defaulted: automountServiceAccountToken',
      ].join('\n'),
    });
  });

  it('prints a denial with its code, with exit code 1, one line for each object of the file', async () => {
    const file = await write(
      'two.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\napiVersion: v1\nkind: List\nitems:\n' +
        '- { apiVersion: v1, kind: Pod, metadata: { generateName: b-, labels: { team: x, app.kubernetes.io/name: y } } }\n',
    );
    expect(await tried(REQUIRE_LABELS, file)).to.deep.equal({
      code: 1,
      text: [
        '✘ denied   ConfigMap a: missing labels: app.kubernetes.io/name, team (422)',
        '✔ allowed  Pod b-…',
        '  warning  label cost-center will be required from next year on',
        '1 of 2 in two.yaml allowed',
      ].join('\n'),
    });
  });

  it('prints why a handler failed, and what it logged, with exit code 1', async () => {
    const handler = await write(
      'boom.mts',
      'export default (_, { log }) => { log.info("asked", { n: 1 }); throw new Error("boom"); };',
    );
    expect(await tried(handler, DEPLOYMENT)).to.deep.equal({
      code: 1,
      text: '  info     asked {"n":1}\n✘ failed   Deployment default/shop: the handler failed: boom',
    });
  });

  it('passes operation, old object and user on', async () => {
    const handler = await write(
      'echo.mjs',
      `export default ({ operation, oldObject, object, userInfo }) =>
         ({ allowed: true, warnings: [operation, String(oldObject?.metadata.name), String(object), userInfo.username] });`,
    );
    const warnings = async (options: Partial<TryOptions>): Promise<readonly string[]> => {
      const { text } = await tried(handler, ACCOUNT, { ...options, json: true });
      return (JSON.parse(text) as [{ result: { warnings: string[] } }])[0].result.warnings;
    };
    expect(await warnings({})).to.deep.equal(['CREATE', 'undefined', '[object Object]', 'kubernetes-admin']);
    expect(await warnings({ old: DEPLOYMENT, user: 'eve' })).to.deep.equal([
      'UPDATE',
      'shop',
      '[object Object]',
      'eve',
    ]);
    expect(await warnings({ operation: 'DELETE' })).to.deep.equal(['DELETE', 'builder', 'null', 'kubernetes-admin']);
  });

  it('sends a recorded AdmissionReview as it is', async () => {
    const request = { uid: 'u', operation: 'DELETE', kind: { group: 'g', version: 'v1', kind: 'Recorded' } };
    const rest = { resource: { group: 'g', version: 'v1', resource: 'records' }, userInfo: {}, name: 'one' };
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...request, ...rest } };
    const file = await write('review.json', JSON.stringify(review));
    expect(await tried(REQUIRE_LABELS, file)).to.deep.equal({ code: 0, text: '✔ allowed  Recorded one' });
  });

  it('names what is wrong with its arguments, and what is accepted', async () => {
    expect(await problemOf('./gone.ts', DEPLOYMENT)).to.match(/^handler \.\/gone\.ts: no such file: /);
    expect(await problemOf(REQUIRE_LABELS, 'gone.yaml')).to.match(/^gone\.yaml: ENOENT/);
    expect(await problemOf(REQUIRE_LABELS, await write('empty.yaml', '# nothing\n'))).to.match(/empty$/);
    expect(await problemOf(REQUIRE_LABELS, await write('list.yaml', '- a\n'))).to.match(
      /objects with apiVersion and kind/,
    );
    expect(await problemOf(REQUIRE_LABELS, await write('bad.yaml', 'a: [\n'))).to.match(/^\S*bad\.yaml: /);
    for (const path of [null, '/other'])
      expect(await problemOf(DEFAULT_FIELD, ACCOUNT, { path })).to.equal(
        "--path: expected one of the handler's paths: /mutate, /validate",
      );
    expect(await problemOf(REQUIRE_LABELS, DEPLOYMENT, { operation: 'UPDATE' })).to.match(/by --old FILE$/);
    expect(await problemOf(REQUIRE_LABELS, DEPLOYMENT, { operation: 'CREATE', old: DEPLOYMENT })).to.match(
      /^--old: expected only with --operation UPDATE/,
    );
    expect(await problemOf(REQUIRE_LABELS, DEPLOYMENT, { old: join(folder.path, 'two.yaml') })).to.match(/one object/);
  });
});
