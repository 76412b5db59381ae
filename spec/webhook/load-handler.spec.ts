import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import nodeModule, { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { AdmissionRequest, AdmissionResponse, HandlerContext } from '../../src/webhook/admission-types.ts';
import { allow, deny, jsonPatch, mutate } from '../../src/webhook/handler-api.ts';
import { loadHandler, type Route } from '../../src/webhook/load-handler.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';

const { request } = JSON.parse(reviewText()) as { readonly request: AdmissionRequest };
const context: HandlerContext = { signal: new AbortController().signal, path: '/', deadlineMs: 0, log: quietLog };

const ask = async (route: Route, path: string, fields: Partial<AdmissionRequest> = {}) => {
  const handler = route(path);
  if (handler === undefined) throw new Error(`no handler for ${path}`);
  return await handler({ ...request, ...fields }, context);
};

const HELPERS = Symbol.for('webhook-certd.handler');
const shared = globalThis as { [HELPERS]?: unknown };
type Hooks = Parameters<typeof registerHooks>[0];

/** The hooks that loading a handler registers, as in a process that has loaded none. They end with the suite. */
const hooksOfSuite = (): readonly Hooks[] => {
  const hooks: Hooks[] = [];
  const ends: (() => void)[] = [];
  before(() => {
    const helpers = shared[HELPERS];
    Reflect.deleteProperty(shared, HELPERS);
    const real = registerHooks;
    const replaced = replaceBuiltin(nodeModule, {
      registerHooks: (registered: Hooks) => {
        hooks.push(registered);
        const handle = real(registered);
        ends.push(() => handle.deregister());
        return handle;
      },
    });
    ends.push(() => {
      replaced[Symbol.dispose]();
      if (helpers === undefined) Reflect.deleteProperty(shared, HELPERS);
      else shared[HELPERS] = helpers;
    });
  });
  after(() => {
    for (const end of ends) end();
  });
  return hooks;
};

describe('handler loading', () => {
  const hooks = hooksOfSuite();
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

  describe('of webhook-certd/handler', () => {
    const own = async () => {
      await loadHandler('imports.mts', directory);
      const { resolve, load } = hooks.at(-1) ?? {};
      if (resolve === undefined || load === undefined) throw new Error('no hooks are registered');
      return { resolve, load };
    };
    before(() => write('imports.mts', `import { allow } from 'webhook-certd/handler'; export default () => allow();`));
    const context = { conditions: [], importAttributes: {}, parentURL: undefined };
    const provided = { url: 'webhook-certd:handler', format: 'module', shortCircuit: true };
    const found = { url: 'file:///found.js' };

    // As in a process that has loaded no handler, for each spec.
    beforeEach(() => Reflect.deleteProperty(shared, HELPERS));

    it('is hooked in once, however many handlers are loaded', async () => {
      const before = hooks.length;
      for (let loads = 0; loads < 3; loads += 1) await own();
      expect(hooks).to.have.length(before + 1);
    });

    it('leaves every other module, and an installed package, to Node', async () => {
      const { resolve, load } = await own();
      const none = (): never => {
        throw new Error('not installed');
      };
      expect(resolve('webhook-certd/handler', context, () => found)).to.equal(found);
      expect(() => resolve('another', context, none)).to.throw('not installed');
      expect(resolve('webhook-certd/handler', context, none)).to.deep.equal(provided);
      const loaded = { format: 'module', source: '' };
      expect(load(found.url, { ...context, format: 'module' }, () => loaded)).to.equal(loaded);
    });

    it('has the helpers of this process, in a module of its own', async () => {
      const { load } = await own();
      const { source, ...rest } = load(provided.url, { ...context, format: 'module' }, () => expect.fail('asked Node'));
      expect(rest).to.deep.equal({ format: 'module', shortCircuit: true });
      const url = `data:text/javascript,${encodeURIComponent(source as string)}`;
      const module = (await import(url)) as Readonly<Record<string, unknown>>;
      expect({ ...module }).to.deep.equal({ allow, deny, jsonPatch, mutate });
      expect(shared[HELPERS]).to.deep.equal({ allow, deny, jsonPatch, mutate });
    });
  });

  it('knows the paths of its handlers, unless one handler answers all', async () => {
    write('paths.mjs', 'export default { "/a": () => 1, "/b": () => 2 };');
    write('one.mjs', 'export default () => 1;');
    expect((await loadHandler('paths.mjs', directory)).paths).to.deep.equal(['/a', '/b']);
    expect((await loadHandler('one.mjs', directory)).paths).to.equal(undefined);
  });

  it('takes a function for the handler, whatever it carries', async () => {
    write('marked.cjs', 'module.exports = Object.assign(() => ({ allowed: true }), { __esModule: true });');
    expect(await ask(await loadHandler('marked.cjs', directory), '/')).to.deep.equal({ allowed: true });
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
    for (const name of ['gone-package', '@scope/gone', 'gone.js'])
      expect(await failure(name)).to.match(new RegExp(`^WEBHOOK_HANDLER ${name}: Cannot find module '${name}'`));
    write('null.mjs', 'export default null;');
    write('string.mjs', 'export default "deny";');
    for (const name of ['none.mjs', 'empty.mjs', 'null.mjs', 'string.mjs'])
      expect(await failure(name)).to.equal(
        `WEBHOOK_HANDLER ${name}: its default export is no handler: expected a function, or an object of path → function`,
      );
    expect(await failure('entry.mjs')).to.match(/wrong entry \/a: expected a function, or an object/);
    expect(await failure('path.mjs')).to.match(/wrong entry a:/);
    write('text.mjs', 'throw "a text";');
    expect(await failure('text.mjs')).to.equal('WEBHOOK_HANDLER text.mjs: a text');
    write('nothing.mjs', 'throw null;');
    expect(await failure('nothing.mjs')).to.equal('WEBHOOK_HANDLER nothing.mjs: null');
    expect(await failure('throws.mjs')).to.equal(`WEBHOOK_HANDLER throws.mjs: at load (${directory}/throws.mjs:1:7)`);
  });

  it('says no place of an error that arose in Node', async () => {
    // Valid in a script only, so that looking for a syntax error would find one.
    write('legacy.cjs', 'var mode = 010;\nrequire("gone-package");');
    expect(await failure('legacy.cjs')).to.match(/Cannot find module 'gone-package'\nRequire stack:\n- .*legacy\.cjs$/);
    write('unlinked.mjs', 'import "./gone-module.mjs";');
    expect(await failure('unlinked.mjs')).to.match(
      /Cannot find module '.*gone-module\.mjs' imported from .*unlinked\.mjs$/,
    );
  });

  it('says the place in a file that was named with a query, or in a folder with an odd name', async () => {
    const text = `${'\n'.repeat(11)}const nothing = null; throw new Error("deep");`;
    write('query.mjs', text);
    const url = `${pathToFileURL(join(directory, 'query.mjs')).href}?version=2`;
    expect(await failure(url)).to.equal(`WEBHOOK_HANDLER ${url}: deep (${directory}/query.mjs:12:29)`);
    write('odd:1/odd.mjs', text);
    expect(await failure('odd:1/odd.mjs')).to.equal(
      `WEBHOOK_HANDLER odd:1/odd.mjs: deep (${directory}/odd:1/odd.mjs:12:29)`,
    );
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
    ['long.cjs', `${'\n'.repeat(11)}module.exports = {;`, /Unexpected token ';' \(FOLDER\/long\.cjs:12\)$/],
    ['quotes.mjs', 'throw new Error("see /etc/hosts:12");', /: see \/etc\/hosts:12 \(FOLDER\/quotes\.mjs:1:7\)$/],
    ['throws.cjs', '\nthrow new Error("at load");', /: at load \(FOLDER\/throws\.cjs:2:7\)$/],
    [
      'other-stack.mjs',
      'throw Object.assign(new Error("odd"), { stack: "/etc/hosts:12 is odd\\n    at file:///app/x.mjs:3:4" });',
      /: odd \(\/app\/x\.mjs:3:4\)$/,
    ],
  ] as const)
    it(`says where in the file the error is: ${name}`, async () => {
      write('module.mjs', 'export default () => {\n  return { allowed: true ;\n};');
      write(name, text);
      expect((await failure(name)).replaceAll(directory, 'FOLDER')).to.match(said);
    });
});

describe('worked examples', () => {
  hooksOfSuite();
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
