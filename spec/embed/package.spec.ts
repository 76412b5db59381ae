import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { build } from 'esbuild';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { openPlace } from './place.ts';

const CLIENT_NODE = '@kubernetes/client-node';
const root = join(import.meta.dirname, '..', '..');

/** What npm tells the programs it runs would make a second npm work on the first one's folder. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS)/i.test(name)),
);

const run = async (cwd: string, command: string, ...args: readonly string[]): Promise<string> =>
  (
    await promisify(execFile)(command, args, { cwd, env }).catch((error: unknown) => {
      const { message, stdout } = error as { readonly message: string; readonly stdout: string };
      throw new Error(`${message}\n${stdout}`);
    })
  ).stdout;

/** The code of a document, by default the JavaScript of docs/embedding.md. */
const snippets = async (document = 'docs/embedding.md', language = 'js'): Promise<readonly string[]> => {
  const text = await readFile(join(root, document), 'utf8');
  // Within a list it is indented, and so is what ends it.
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, code = '']) => code);
};

const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  module: 'nodenext',
  target: 'es2024',
  lib: ['esnext'],
  types: ['node'],
  noEmit: true,
};

describe('the package', function () {
  this.timeout(180_000);
  let project: TemporaryDirectory;
  let orders: string;
  const compile = async (): Promise<void> => {
    const config = { compilerOptions: COMPILER_OPTIONS, include: ['*.mts'] };
    await writeFile(join(project.path, 'tsconfig.json'), JSON.stringify(config));
    await run(project.path, process.execPath, join(root, 'node_modules', 'typescript', 'lib', 'tsc.js'), '-p', '.');
  };
  before(async () => {
    project = await temporaryDirectory();
    await run(root, 'npm', 'pack', '--silent', '--pack-destination', project.path);
    const [tarball = ''] = await readdir(project.path);
    await writeFile(join(project.path, 'package.json'), '{ "private": true, "type": "module" }\n');
    // One installation for all: that of the project that init writes.
    orders = join(project.path, 'orders');
    const bundle = join(root, 'dist', 'webhook-certd.js');
    await run(project.path, process.execPath, bundle, 'init', 'orders', '--package', `file:../${tarball}`);
    const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const clientNode = `${CLIENT_NODE}@${devDependencies[CLIENT_NODE] ?? ''}`;
    await run(orders, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', clientNode);
    await symlink(join('orders', 'node_modules'), join(project.path, 'node_modules'));
  });
  after(() => project[Symbol.asyncDispose]());

  it('needs client-node for a kubeconfig only, and says so where it is not installed', async () => {
    const installed = join(project.path, 'node_modules');
    const { dependencies } = JSON.parse(await readFile(join(installed, 'webhook-certd', 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    expect(dependencies).to.not.have.property(CLIENT_NODE);
    const code = `
      import { createWebhook } from 'webhook-certd';
      const env = { KUBECONFIG: '/none', POD_NAMESPACE: 'ns', POD_NAME: 'pod', HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0', METRICS_BIND_ADDRESS: '0' };
      await createWebhook({ env, handler: () => ({ allowed: true }) }).catch(({ message }) => console.log(message));`;
    const [place, elsewhere] = [join(installed, CLIENT_NODE), join(project.path, 'client-node')];
    await rename(place, elsewhere);
    try {
      expect(await run(project.path, process.execPath, '--input-type=module', '--eval', code)).to.equal(
        `a kubeconfig is read by ${CLIENT_NODE}, which is not installed: npm install ${CLIENT_NODE}\n`,
      );
    } finally {
      await rename(elsewhere, place);
    }
  });

  it('runs docs/embedding.md: is ready, answers, and ends with 0 on SIGTERM', async () => {
    const [webhook = ''] = await snippets();
    await writeFile(join(project.path, 'webhook.js'), webhook);
    await using place = await openPlace();
    const child = spawn(process.execPath, ['webhook.js'], {
      cwd: project.path,
      env: { ...place.env, LEASE_DURATION: '4s', RENEW_DEADLINE: '3s', RETRY_PERIOD: '1s' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const said: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      said.push(line);
      if (line.startsWith('ready on ')) child.kill('SIGTERM');
    }
    expect(
      said.some((line) => /^ready on \d+$/.test(line)),
      said.join('\n'),
    ).to.equal(true);
    expect(said.join('\n')).to.include('Certificate loaded and verified').and.include('Leadership released');
    expect(await exited).to.deep.equal([0, null]);
  });

  it('has types that a strict compiler takes, for every snippet, typed handlers and the streams', async () => {
    const typed = [...(await snippets('README.md', 'ts')), ...(await snippets('docs/guides/handlers.md', 'ts'))];
    expect(typed).to.have.length(2);
    for (const [index, code] of [...(await snippets()), ...typed].entries())
      await writeFile(join(project.path, `snippet-${index}.mts`), code);
    await writeFile(
      join(project.path, 'streams.mts'),
      `import { follower, Problem } from 'webhook-certd/streams';
       import type { FollowerPolicy, FollowerPorts, Readiness, VerifiedPair } from 'webhook-certd/streams';
       import { Problem as Same, type AdmissionHandler } from 'webhook-certd';
       import { NEVER, type Observable } from 'rxjs';
       export const watch = (ports: FollowerPorts, policy: FollowerPolicy): Observable<Readiness> =>
         follower({ lease$: NEVER, tick$: NEVER }, ports, policy).readiness$;
       export const subject = (pair: VerifiedPair): string => pair.leaf.subject;
       export const isOne: boolean = new Problem('x') instanceof Same;
       // @ts-expect-error a misspelt verdict
       export const wrong: AdmissionHandler = () => ({ alowed: true });`,
    );
    await writeFile(
      join(project.path, 'handlers.mts'),
      `import { type AdmissionHandler, allow, deny, type HandlerExport, mutate } from 'webhook-certd/handler';
       import { createWebhook, type AdmissionHandler as Same } from 'webhook-certd';
       interface Pod { readonly spec?: { readonly hostNetwork?: boolean } }
       interface Account { readonly automountServiceAccountToken?: boolean }
       const pods: AdmissionHandler<Pod> = ({ object }, { path }) =>
         object?.spec?.hostNetwork === true ? deny(path, 422) : allow();
       const accounts: Same<Account> = ({ object }) => mutate(object, { ...object, automountServiceAccountToken: false });
       // @ts-expect-error a field that the object does not have
       export const wrong: AdmissionHandler<Pod> = ({ object }) => (object?.status ? allow() : deny('no'));
       export const some: HandlerExport = { '/labels': ({ object }) => (object?.metadata?.labels?.['team'] ? allow() : deny('no')) };
       const env = {};
       void createWebhook({ env, handler: pods });
       void createWebhook({ env, handler: { '/pods': pods, '/accounts': accounts } });
       void createWebhook({ env, handler: ({ object }) => (object?.metadata?.labels?.['team'] ? allow() : deny('no')) });`,
    );
    await compile();
  });

  it('runs docs/guides/testing.md: tests of a handler, and of a webhook on a cluster', async () => {
    const tests = await snippets('docs/guides/testing.md');
    expect(tests).to.have.length(2);
    for (const [at, code] of tests.entries()) await writeFile(join(project.path, `guide-${at}.test.mjs`), code);
    const said = await run(project.path, process.execPath, '--test', 'guide-*.test.mjs');
    expect(said)
      .to.match(/pass 3\b/)
      .and.to.match(/fail 0\b/);
  });

  it('has helpers for handlers that load no dependency and leave nothing in a bundle that does not use them', async () => {
    const { outputFiles, metafile } = await build({
      stdin: {
        contents: `import { allow, mutate } from 'webhook-certd/handler'; export default () => allow();`,
        resolveDir: project.path,
      },
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
    });
    const packages = Object.keys(metafile.inputs).map((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? path);
    expect(new Set(packages)).to.deep.equal(new Set(['webhook-certd', '<stdin>']));
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))).to.deep.equal([]);
    expect(outputFiles[0]?.text.length).to.be.below(1_000);
  });

  it('shares its classes between the entries, and keeps everything else to itself', async () => {
    const code = `
      import * as all from 'webhook-certd';
      import * as streams from 'webhook-certd/streams';
      import * as handler from 'webhook-certd/handler';
      const inner = await import('webhook-certd/dist/lib/index.js').catch(({ code }) => code);
      const shared = all.Problem === streams.Problem && all.mutate === handler.mutate;
      console.log(JSON.stringify([Object.keys(all), Object.keys(handler), shared, inner]));`;
    const said = await run(project.path, process.execPath, '--input-type=module', '--eval', code);
    expect(JSON.parse(said)).to.deep.equal([
      ['Problem', 'allow', 'createCertificates', 'createWebhook', 'deny', 'jsonPatch', 'mutate'],
      ['allow', 'deny', 'jsonPatch', 'mutate'],
      true,
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    ]);
  });

  it('starts a project by init whose tests pass, whose types are right and whose handler can be tried', async () => {
    expect(await run(orders, process.execPath, '--test'))
      .to.match(/pass 4\b/)
      .and.to.match(/fail 0\b/);
    await run(orders, process.execPath, join('node_modules', 'typescript', 'lib', 'tsc.js'));
    const command = [process.execPath, join('node_modules', '.bin', 'webhook-certd')] as const;
    const said = await run(orders, ...command, 'try', 'handler.ts', 'object.yaml');
    expect(said).to.equal('✔ allowed  ConfigMap default/settings\n  warning  keep password in a Secret\n');
  });

  it('brings the command along', async () => {
    const said = await run(project.path, process.execPath, join('node_modules', '.bin', 'webhook-certd'), '--version');
    expect(said).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});
