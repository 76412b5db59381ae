import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import { type InitOptions, runInit } from '../../src/author/init.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const FILES = [
  '.dockerignore',
  '.gitignore',
  'Dockerfile',
  'README.md',
  'handler.test.ts',
  'handler.ts',
  'manifests.yaml',
  'object.yaml',
  'package.json',
  'tsconfig.json',
];

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly image: string; readonly env: readonly object[] }[] };
    };
  };
}

describe('webhook-certd init', () => {
  let folder: TemporaryDirectory;
  before(async () => {
    folder = await temporaryDirectory();
  });
  after(() => folder[Symbol.asyncDispose]());

  const init = (name: string, options: Partial<InitOptions> = {}): string => {
    const lines: string[] = [];
    const all = { name: null, namespace: null, package: null, ...options };
    const print = (text: string) => void lines.push(text);
    expect(runInit(name, all, { print, directory: folder.path, version: '1.2.3' })).to.equal(0);
    return lines.join('\n');
  };
  const read = (...path: readonly string[]): Promise<string> => readFile(join(folder.path, ...path), 'utf8');

  it('writes a project under the name of its folder, and what to do next', async () => {
    expect(init('orders')).to.match(
      /^wrote .*manifests\.yaml\nnext: cd orders && npm install && npm test && npm start$/,
    );
    expect((await readdir(join(folder.path, 'orders'))).toSorted()).to.deep.equal(FILES);
    const { name, devDependencies } = JSON.parse(await read('orders', 'package.json')) as {
      readonly name: string;
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    expect([name, devDependencies['webhook-certd']]).to.deep.equal(['orders', '1.2.3']);
    expect(devDependencies, 'an older Node of the machine finds no test').to.include.keys('node');
    const docker = (await read('orders', 'Dockerfile')).trimEnd().split('\n');
    expect(docker).to.include('FROM webhook-certd:1.2.3');
    expect(docker.length).to.be.at.most(10);
  });

  it('writes manifests that run the image of the project with the handler in it', async () => {
    init('named', { name: 'billing', namespace: 'shop' });
    const objects = loadAll(await read('named', 'manifests.yaml')) as readonly Workload[];
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    expect(deployment?.metadata).to.include({ name: 'billing', namespace: 'shop' });
    const [container] = deployment?.spec.template.spec.containers ?? [];
    expect(container?.image).to.equal('billing:0.1.0');
    expect(container?.env).to.deep.include({ name: 'WEBHOOK_HANDLER', value: '/app/handler.ts' });
    expect(await read('named', 'object.yaml')).to.include("billing/validate: 'true'");
  });

  it('writes into an empty folder or a new repository, and never over a file', async () => {
    await mkdir(join(folder.path, 'repository', '.git'), { recursive: true });
    init('repository');
    await mkdir(join(folder.path, 'taken'));
    await writeFile(join(folder.path, 'taken', 'notes.txt'), 'mine');
    expect(() => init('taken')).to.throw('taken: expected a new or empty folder, and it holds notes.txt');
    expect(await readdir(join(folder.path, 'taken'))).to.deep.equal(['notes.txt']);
    expect(() => init('taken/notes.txt', { name: 'notes' })).to.throw(/^taken\/notes\.txt: EEXIST/);
  });

  it('refuses a name that no installation can have, before it writes anything', async () => {
    expect(() => init('My_Webhook')).to.throw(/^NAME="My_Webhook": expected a name/);
    expect(await readdir(folder.path)).not.to.include('My_Webhook');
  });
});
