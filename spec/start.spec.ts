import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { VERSION } from '../src/config/version.ts';
import { build, buildStart } from './support/build.ts';
import { type TemporaryDirectory, temporaryDirectory } from './support/temporary-directory.ts';

const run = promisify(execFile);

/** A replica that nobody announces anything to: it ends with 1 as soon as it may. */
const LONELY = {
  KUBERNETES_SERVICE_HOST: '127.0.0.1',
  POD_NAMESPACE: 'spec',
  WEBHOOK_HANDLER: 'builtin:allow',
  CERT_TIMEOUT: '100ms',
  WEBHOOK_BIND_ADDRESS: '127.0.0.1:0',
  HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
  METRICS_BIND_ADDRESS: '0',
};

describe('start', function () {
  this.timeout(60_000);
  let folder: TemporaryDirectory;
  let cache: string;
  const start = async (...args: readonly string[]): Promise<string> =>
    (await run(process.execPath, [join(folder.path, 'start.cjs'), ...args], { env: LONELY })).stdout;
  const serveInVain = async (timeout = LONELY.CERT_TIMEOUT): Promise<string> => {
    const ended = (await start('serve', '--cert-timeout', timeout).catch((error: unknown) => error)) as {
      code: number;
      stdout: string;
    };
    expect(ended.code).to.equal(1);
    return ended.stdout;
  };

  before(async () => {
    folder = await temporaryDirectory();
    cache = join(folder.path, 'webhook-certd.cache');
    const entry = join(import.meta.dirname, '..', 'src', 'main.ts');
    await build({ entry, outfile: join(folder.path, 'webhook-certd.js'), sourcemap: false });
    await buildStart(folder.path);
  });
  after(() => folder[Symbol.asyncDispose]());

  it('runs the bundle without a cache, and writes none', async () => {
    expect(await start('--version')).to.equal(`${VERSION}\n`);
    expect(await serveInVain()).to.include('Timeout waiting for webhook certificates');
    expect(await stat(cache).catch(() => null)).to.equal(null);
  });

  it('shows no warning of Node for how the bundle imports a handler', async () => {
    const handler = join(folder.path, 'allow.mjs');
    await writeFile(handler, 'export default () => ({ allowed: true });');
    const args = [join(folder.path, 'start.cjs'), 'demo', '--handler', handler];
    const demo = execFile(process.execPath, args, { env: {} });
    let stderr = '';
    demo.stderr?.on('data', (text) => (stderr += String(text)));
    demo.stdout?.once('data', () => demo.kill('SIGTERM'));
    await once(demo, 'close');
    expect(stderr).to.equal('');
  });

  it('provides webhook-certd/handler to a TypeScript handler where nothing but the bundle is installed', async () => {
    const handler = join(folder.path, 'handler.ts');
    const types = `import { type AdmissionHandler, allow } from 'webhook-certd/handler';`;
    await writeFile(handler, `${types} export default (() => allow({ warnings: ['w'] })) satisfies AdmissionHandler;`);
    const object = join(folder.path, 'object.json');
    await writeFile(object, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }));
    expect(await start('try', handler, object)).to.equal('✔ allowed  Pod a\n  warning  w\n');
    const said = await start('serve', '--webhook-handler', handler).catch(
      (error: unknown) => (error as Error & { stdout: string }).stdout,
    );
    expect(said).to.include('Timeout waiting for webhook certificates').and.not.to.include('Fatal error');
  });

  it('refuses an older Node in one sentence, in a syntax that it can read', async () => {
    const { engines } = JSON.parse(await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
      readonly engines: { readonly node: string };
    };
    const needed = Number(engines.node.replace('>=', ''));
    const old = join(folder.path, 'old.cjs');
    const version = `${needed - 1}.9.0`;
    await writeFile(old, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
    const env = { ...LONELY, NODE_OPTIONS: `--require=${old}` };
    const ended = (await run(process.execPath, [join(folder.path, 'start.cjs'), 'version'], { env }).catch(
      (error: unknown) => error,
    )) as { readonly code: number; readonly stdout: string; readonly stderr: string };
    expect(ended).to.include({
      code: 1,
      stdout: '',
      stderr: `webhook-certd needs Node ${needed} or later, and this is Node ${version}.\n`,
    });
    expect(await readFile(join(folder.path, 'start.cjs'), 'utf8')).to.not.match(/\?\?|\?\./);
  });

  it('runs the bundle beside the file that a link on PATH leads to', async () => {
    const link = join(folder.path, 'bin');
    await symlink(join(folder.path, 'start.cjs'), link);
    expect((await run(process.execPath, [link, 'version'], { env: LONELY })).stdout).to.equal(`${VERSION}\n`);
  });

  it('has an empty cache filled by a replica that ends, and by nothing else', async () => {
    await writeFile(cache, '');
    await start('--version');
    expect((await stat(cache)).size).to.equal(0);
    await serveInVain();
    expect((await stat(cache)).size).to.be.above(100_000);
  });

  it('keeps the smallest of what several replicas leave', async () => {
    const own = await readFile(cache);
    for (const [others, stays] of [
      [Buffer.alloc(100), true],
      [Buffer.alloc(50_000_000), false],
    ] as const) {
      await writeFile(cache, '');
      const ending = serveInVain('2s');
      await delay(1_000);
      await writeFile(cache, others);
      await ending;
      expect((await readFile(cache)).length === others.length).to.equal(stays);
    }
    await writeFile(cache, own);
  });

  it('runs the bundle with that cache, which stays as it is', async () => {
    const before = await readFile(cache);
    expect(await start('--version')).to.equal(`${VERSION}\n`);
    expect(await serveInVain()).to.include('Timeout waiting for webhook certificates');
    expect((await readFile(cache)).equals(before)).to.equal(true);
  });

  it('runs the bundle all the same when the cache is of another source, or garbage', async () => {
    const own = await readFile(cache);
    for (const other of [Buffer.from('garbage'), own.fill(7, 8, 12), Buffer.alloc(4_096)]) {
      await writeFile(cache, other);
      expect(await start('--version')).to.equal(`${VERSION}\n`);
    }
  });
});
