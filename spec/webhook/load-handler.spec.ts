import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { AdmissionRequest, AdmissionResponse, HandlerContext } from '../../src/webhook/admission-types.ts';
import { loadHandler, type Route } from '../../src/webhook/load-handler.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';

const { request } = JSON.parse(reviewText()) as { readonly request: AdmissionRequest };
const context: HandlerContext = { signal: new AbortController().signal, path: '/', deadlineMs: 0, log: quietLog };

const ask = async (route: Route, path: string, fields: Partial<AdmissionRequest> = {}) => {
  const handler = route(path);
  if (handler === undefined) throw new Error(`no handler for ${path}`);
  return await handler({ ...request, ...fields }, context);
};

describe('handler loading', () => {
  let directory = '';
  before(() => (directory = mkdtempSync(join(tmpdir(), 'handler-'))));
  after(() => rmSync(directory, { recursive: true }));

  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  };
  const failure = (name: string) =>
    loadHandler(name, directory).then(
      () => 'no failure',
      (error: unknown) => (error as Error).message,
    );

  it('finds a handler by relative and absolute path and by URL, in TypeScript too', async () => {
    write('deny.mts', 'export default (): { allowed: boolean } => ({ allowed: false });');
    const file = join(directory, 'deny.mts');
    for (const name of ['deny.mts', './deny.mts', file, pathToFileURL(file).href])
      expect(await ask(await loadHandler(name, directory), '/any')).to.deep.equal({ allowed: false });
  });

  it('finds a handler by package name, as the working directory would', async () => {
    write('node_modules/my-handler/package.json', '{"name":"my-handler","type":"module","main":"main.js"}');
    write('node_modules/my-handler/main.js', 'export default () => ({ allowed: true, warnings: ["mine"] });');
    expect(await ask(await loadHandler('my-handler', directory), '/')).to.deep.equal({
      allowed: true,
      warnings: ['mine'],
    });
  });

  it('has one of its own that admits everything', async () => {
    expect(await ask(await loadHandler('builtin:allow', directory), '/')).to.deep.equal({ allowed: true });
  });

  it('accepts what tsc makes of an export default in CommonJS', async () => {
    const compiled =
      'Object.defineProperty(exports, "__esModule", { value: true });\nexports.default = () => ({ allowed: true });';
    write('compiled.cjs', compiled);
    expect(await ask(await loadHandler('compiled.cjs', directory), '/')).to.deep.equal({ allowed: true });
    write('entries.cjs', compiled.replace('= () =>', '= { "/a": () =>').replace('});\n', '});\n').replace(/;$/, ' };'));
    expect(await ask(await loadHandler('entries.cjs', directory), '/a')).to.deep.equal({ allowed: true });
  });

  it('provides webhook-certd/handler where the package is not installed, to ES modules and CommonJS', async () => {
    write('imports.mts', `import { allow } from 'webhook-certd/handler'; export default () => allow();`);
    write('requires.cjs', `const { allow } = require('webhook-certd/handler'); module.exports = () => allow();`);
    for (const name of ['imports.mts', 'requires.cjs'])
      expect(await ask(await loadHandler(name, directory), '/'), name).to.deep.equal({ allowed: true });
  });

  it('prefers an installed webhook-certd/handler to its own', async () => {
    const folder = 'apart/node_modules/webhook-certd';
    write(`${folder}/package.json`, '{"name":"webhook-certd","exports":{"./handler":"./handler.mjs"}}');
    write(`${folder}/handler.mjs`, 'export const allow = () => ({ allowed: true, warnings: ["installed"] });');
    write('apart/imports.mts', `import { allow } from 'webhook-certd/handler'; export default () => allow();`);
    const route = await loadHandler('apart/imports.mts', directory);
    expect(await ask(route, '/')).to.deep.equal({ allowed: true, warnings: ['installed'] });
  });

  it('says what is wrong with what it was given', async () => {
    write('none.mjs', 'export const handler = () => undefined;');
    write('empty.mjs', 'export default {};');
    write('entry.mjs', 'export default { "/a": 1 };');
    write('path.mjs', 'export default { a: () => 1 };');
    write('throws.mjs', 'throw new Error("at load");');
    expect(await failure('./gone.mjs')).to.match(/^WEBHOOK_HANDLER .\/gone.mjs: no such file: .*gone.mjs$/);
    expect(await failure('gone-package')).to.match(/Cannot find module 'gone-package'/);
    for (const name of ['none.mjs', 'empty.mjs'])
      expect(await failure(name)).to.match(/its default export is no handler/);
    expect(await failure('entry.mjs')).to.match(/wrong entry \/a: expected a function, or an object/);
    expect(await failure('path.mjs')).to.match(/wrong entry a:/);
    write('text.mjs', 'throw "a text";');
    expect(await failure('text.mjs')).to.equal('WEBHOOK_HANDLER text.mjs: a text');
    expect(await failure('throws.mjs')).to.equal(`WEBHOOK_HANDLER throws.mjs: at load (${directory}/throws.mjs:1:7)`);
  });

  for (const [name, text, said] of [
    [
      'module.mjs',
      'export default () => {\n  return { allowed: true ;\n};',
      /Unexpected token ';' \(FOLDER\/module\.mjs:2\)$/,
    ],
    ['types.mts', 'export default (a: 1) => {\n  return { allowed: true ;\n};', /got ';' \(FOLDER\/types\.mts:2\)$/],
    [
      'script.cjs',
      'module.exports = () => {\n  return { allowed: true ;\n};',
      /Unexpected token ';' \(FOLDER\/script\.cjs:2\)$/,
    ],
    [
      'name.mjs',
      'import { nope } from "node:fs";\nexport default nope;',
      /export named 'nope' \(FOLDER\/name\.mjs:1\)$/,
    ],
    [
      'kind.mts',
      '\nenum Kind { A }\nexport default () => Kind.A;',
      /enum is not supported in strip-only mode \(FOLDER\/kind\.mts:2\)$/,
    ],
    ['type.mjs', '\nconst a = {};\na.b.c();', /reading 'c'\) \(FOLDER\/type\.mjs:3:5\)$/],
    ['imports-module.mjs', 'import "./module.mjs";', /Unexpected token ';' \(in a module that it imports\)$/],
    ['a b#c.mjs', 'throw new Error("odd name");', /odd name \(FOLDER\/a b#c\.mjs:1:7\)$/],
  ] as const)
    it(`says where in the file the error is: ${name}`, async () => {
      write('module.mjs', 'export default () => {\n  return { allowed: true ;\n};');
      write(name, text);
      expect((await failure(name)).replaceAll(directory, 'FOLDER')).to.match(said);
    });
});

describe('worked examples', () => {
  const example = (name: string): Promise<Route> => loadHandler(`examples/handlers/${name}.ts`, '.');
  const patched = ({ patch = '' }: AdmissionResponse): unknown => JSON.parse(Buffer.from(patch, 'base64').toString());

  it('require-labels refuses what lacks them, reminds of the wished one, and never hinders a delete', async () => {
    const route = await example('require-labels');
    expect(await ask(route, '/')).to.deep.equal({
      allowed: false,
      status: { message: 'missing labels: app.kubernetes.io/name, team', code: 422 },
    });
    const labels = { 'app.kubernetes.io/name': 'one', team: 'blue' };
    expect(await ask(route, '/', { object: { metadata: { labels } } })).to.deep.equal({
      allowed: true,
      warnings: ['label cost-center will be required from next year on'],
    });
    const all = { ...labels, 'cost-center': '7' };
    expect(await ask(route, '/', { object: { metadata: { labels: all } } })).to.deep.equal({ allowed: true });
    expect(await ask(route, '/', { operation: 'DELETE', object: null })).to.deep.equal({ allowed: true });
  });

  it('default-field sets the absent field, and denies mounting the token of the default account', async () => {
    const route = await example('default-field');
    const account = { metadata: { name: 'default' } };
    const mounting = { ...account, automountServiceAccountToken: true };
    const defaulted = await ask(route, '/mutate', { object: account });
    expect(patched(defaulted)).to.deep.equal([{ op: 'add', path: '/automountServiceAccountToken', value: false }]);
    expect(await ask(route, '/mutate', { object: mounting })).to.deep.equal({ allowed: true });
    expect(await ask(route, '/validate', { object: mounting })).to.have.nested.property('status.code', 422);
    const another = { ...mounting, metadata: { name: 'another' } };
    for (const object of [account, another, null])
      expect(await ask(route, '/validate', { object })).to.deep.equal({ allowed: true });
    expect(route('/other')).to.equal(undefined);
  });

  it('policy-file denies what a rule of its file matches, and nothing without a match', async () => {
    const route = await example('policy-file');
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
    const withImages = (...images: readonly string[]) => ({
      kind,
      object: { spec: { template: { spec: { containers: images.map((image) => ({ image })) } } } },
    });
    expect(await ask(route, '/', withImages('a:1', 'registry:5000/b@sha256:00'))).to.deep.equal({ allowed: true });
    for (const image of ['a', 'a:latest'])
      expect(await ask(route, '/', withImages('b:1', image)), image).to.deep.equal({
        allowed: false,
        status: { message: 'name a version of each image, not latest', code: 422 },
      });
    const unowned = { metadata: { annotations: { owner: '' } } };
    expect(await ask(route, '/', { object: unowned })).to.have.nested.property('status.code', 422);
    expect(await ask(route, '/', { object: null })).to.deep.equal({ allowed: true });
  });
});
