import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { openPlace } from './place.ts';

const root = join(import.meta.dirname, '..', '..');

/** What npm tells the programs it runs would make a second npm work on the first one's folder. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS)/i.test(name)),
);

const run = async (cwd: string, command: string, ...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd, env })).stdout;

/** The JavaScript of docs/embedding.md. */
const snippets = async (): Promise<readonly string[]> => {
  const text = await readFile(join(root, 'docs', 'embedding.md'), 'utf8');
  return [...text.matchAll(/```js\n([^]*?)```/g)].map(([, code = '']) => code);
};

describe('the package', function () {
  this.timeout(180_000);
  let project: TemporaryDirectory;
  before(async () => {
    project = await temporaryDirectory();
    await run(root, 'npm', 'pack', '--silent', '--pack-destination', project.path);
    const [tarball = ''] = await readdir(project.path);
    await writeFile(join(project.path, 'package.json'), '{ "private": true, "type": "module" }\n');
    await run(project.path, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`);
  });
  after(() => project[Symbol.asyncDispose]());

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

  it('has types that a strict compiler takes, for every snippet and for the streams', async () => {
    const strict = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    };
    const compilerOptions = {
      ...strict,
      module: 'nodenext',
      target: 'es2024',
      lib: ['esnext'],
      types: ['node'],
      noEmit: true,
    };
    await writeFile(join(project.path, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
    for (const [index, code] of (await snippets()).entries())
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
    await run(project.path, process.execPath, join(root, 'node_modules', 'typescript', 'lib', 'tsc.js'), '-p', '.');
  });

  it('shares its classes between both entries, and keeps everything else to itself', async () => {
    const code = `
      import * as all from 'webhook-certd';
      import * as streams from 'webhook-certd/streams';
      const inner = await import('webhook-certd/dist/lib/index.js').catch(({ code }) => code);
      console.log(JSON.stringify([Object.keys(all), all.Problem === streams.Problem, inner]));`;
    const said = await run(project.path, process.execPath, '--input-type=module', '--eval', code);
    expect(JSON.parse(said)).to.deep.equal([
      ['Problem', 'allow', 'createCertificates', 'createWebhook', 'deny', 'jsonPatch', 'mutate'],
      true,
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    ]);
  });

  it('brings the command along', async () => {
    const said = await run(project.path, process.execPath, join('node_modules', '.bin', 'webhook-certd'), '--version');
    expect(said).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});
