import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { REPOSITORY, VERSION } from '../../src/config/version.ts';
import { entrypoint } from '../bench/programs.ts';
import { build, buildStart } from '../support/build.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { MANIFESTS, rendered } from './rendered.ts';
import { replicaOf } from './replica-of.ts';

const root = join(MANIFESTS, '..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Instructions with their arguments; continued lines are one. */
const instructions = text('Dockerfile')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [instruction = '', ...rest] = line.split(/\s+/);
    return { instruction, rest };
  });
const lastStage = instructions.slice(instructions.findLastIndex(({ instruction }) => instruction === 'FROM'));
const argumentsOf = (wanted: string): readonly string[] =>
  lastStage.filter(({ instruction }) => instruction === wanted).flatMap(({ rest }) => rest);

describe('the image', () => {
  const { pod, container, config } = replicaOf(rendered());

  it('has two stages, the last of which takes what the first laid out and nothing of the checkout', () => {
    expect(instructions.filter(({ instruction }) => instruction === 'FROM')).to.have.length(2);
    expect(argumentsOf('COPY')).to.deep.equal(['--from=build', '/image', '/']);
    expect(argumentsOf('RUN')).to.deep.equal([]);
  });

  it('is built with a Node that the package accepts', () => {
    const [, major] = /^ARG BASE=node:(\d+)/m.exec(text('Dockerfile')) ?? [];
    const { engines } = JSON.parse(text('package.json')) as { readonly engines: { readonly node: string } };
    expect(Number(major)).to.be.at.least(Number(engines.node.replace('>=', '')));
  });

  it('is labelled with what it is, where it comes from, and what it was built of', () => {
    const labels: Readonly<Record<string, string>> = Object.fromEntries(
      [...text('Dockerfile').matchAll(/org\.opencontainers\.image\.([\w.]+)="([^"]*)"/g)].map(
        ([, key = '', value = '']) => [key, value],
      ),
    );
    const { description, license } = JSON.parse(text('package.json')) as Readonly<Record<string, string>>;
    expect(labels).to.deep.equal({
      title: 'webhook-certd',
      description,
      source: REPOSITORY,
      documentation: `${REPOSITORY}#readme`,
      licenses: license,
      version: VERSION,
      revision: '${REVISION}',
      'base.name': '${BASE}',
    });
  });

  it('runs as the user of the Deployment, by number', () => {
    const { runAsUser, runAsGroup } = pod['securityContext'] as { runAsUser: number; runAsGroup: number };
    expect(argumentsOf('USER')).to.deep.equal([`${runAsUser}:${runAsGroup}`]);
    expect(runAsUser).to.be.above(0);
  });

  it('starts the one file that the build writes, with what V8 made of it, by flags that Node knows', async () => {
    const [node, ...flags] = entrypoint();
    expect([node, flags.pop()]).to.deep.equal(['node', '/app/start.cjs']);
    expect(text('Dockerfile')).to.include('cp dist/webhook-certd.js dist/start.cjs .');
    expect(text('Dockerfile')).to.include('cp -a webhook-certd.js start.cjs webhook-certd.cache /image/app/');
    await promisify(execFile)(process.execPath, [...flags, '--version']);
    expect(text('Dockerfile').replaceAll('\\\n', ' ')).to.include(`node ${flags.join(' ')} start.cjs demo`);
  });

  it('has webhook-certd on its PATH, which needs nothing but Node', async function () {
    this.timeout(60_000);
    await using folder = await temporaryDirectory();
    const image = join(folder.path, 'image');
    await build({ entry: join(root, 'src/main.ts'), outfile: join(folder.path, 'webhook-certd.js'), sourcemap: false });
    await buildStart(folder.path);
    await writeFile(join(folder.path, 'webhook-certd.cache'), '');
    const layOut = text('Dockerfile')
      .replaceAll('\\\n', '')
      .split('\n')
      .find((line) => line.startsWith('RUN set -e'));
    const script = layOut?.slice('RUN '.length).replaceAll('/image', image) ?? '';
    const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    await promisify(execFile)('sh', ['-c', script], { cwd: folder.path, env: { PATH } });
    const [onPath = ''] = lastStage
      .filter(({ instruction }) => instruction === 'ENV')
      .flatMap(({ rest }) => rest.filter((word) => word.startsWith('PATH=')))
      .map((word) => word.slice('PATH='.length));
    const program = join(image, onPath, 'webhook-certd');
    expect(readFileSync(program, 'utf8').split('\n')[0]).to.equal(`#!${process.execPath}`);
    const { stdout } = await promisify(execFile)(program, ['version'], { env: {} });
    expect(stdout).to.equal(`${VERSION}\n`);
  });

  it('names the ports that the daemon listens on', () => {
    const ports = [config.webhookBind, config.probeBind, config.metricsBind].map((bind) => String(bind?.port));
    expect(argumentsOf('EXPOSE')).to.deep.equal(ports);
  });

  it('has the version that the Deployment asks for', () => {
    expect(container['image']).to.equal(`webhook-certd:${VERSION}`);
  });

  const copied = instructions
    .filter(({ instruction, rest }) => instruction === 'COPY' && !rest[0]?.startsWith('--from'))
    .flatMap(({ rest }) => rest.slice(0, -1));

  it('copies whatever its build imports', () => {
    const needed = new Set<string>();
    const follow = (file: string): void => {
      if (needed.has(file)) return;
      needed.add(file);
      for (const [, path = ''] of text(file).matchAll(/from '(\.[^']+)'/g)) follow(join(dirname(file), path));
    };
    follow('spec/support/build.ts');
    const missing = [...needed].filter((file) => !copied.includes(file) && !copied.includes(file.split('/')[0] ?? ''));
    expect(missing).to.deep.equal([]);
  });

  it('lets in what is copied and nothing else', () => {
    const letIn = text('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
      .filter((line) => !['spec', 'spec/support'].includes(line));
    expect([...copied].sort()).to.deep.equal([...letIn].sort());
  });
});
