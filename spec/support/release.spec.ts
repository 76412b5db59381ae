import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { changesOf, packChart, release, type ReleaseOptions, releaseProblems, VERSIONED } from './release.ts';
import { runTool } from './run-tool.ts';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const VERSION = '0.1.0';
const BASE = `node:26-slim@sha256:${'0'.repeat(64)}`;
const CHANGELOG = `# Changelog\n\n## [Unreleased]\n\n- next\n\n## [${VERSION}] - 2026-12-01\n\n- this\n\n## [0.0.9] - 2026-01-01\n\n- former\n`;

describe('a release', () => {
  let folder: TemporaryDirectory;
  let root: string;
  const git = (...args: readonly string[]) =>
    runTool('git', '-C', root, '-c', 'user.name=spec', '-c', 'user.email=spec@example.com', ...args);
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const commit = async (): Promise<void> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--message=all');
  };
  const change = async (path: string, from: string | RegExp, to: string): Promise<void> => {
    await write(path, (await readFile(join(root, path), 'utf8')).replaceAll(from, to));
    await commit();
  };

  /** Stands for `npm pack`, whose real result spec/embed/package.spec.ts installs. */
  const pack = async (to: string): Promise<void> => {
    await write('packed/package/dist/sbom.cdx.json', '{"bomFormat":"CycloneDX"}\n');
    await runTool('tar', '-czf', join(to, `webhook-certd-${VERSION}.tgz`), '-C', join(root, 'packed'), 'package');
  };
  const options = (rest: Partial<ReleaseOptions> = {}): ReleaseOptions => ({
    root,
    outdir: join(folder.path, 'release'),
    draft: false,
    base: null,
    pack,
    ...rest,
  });

  beforeEach(async () => {
    folder = await temporaryDirectory();
    root = join(folder.path, 'checkout');
    for (const path of [...Object.keys(VERSIONED), 'charts'])
      await cp(join(ROOT, path), join(root, path), { recursive: true });
    await write('CHANGELOG.md', CHANGELOG);
    await runTool('git', 'init', '--quiet', root);
    await change('package.json', /github\.com\/[\w-]+\//g, 'github.com/someone/');
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  it('has the package, the chart, the bill of materials, the changes of its version, and checksums that hold', async () => {
    const { outdir } = options();
    expect(await release(options())).to.deep.equal([
      'CHANGES.md',
      'SHA256SUMS',
      `chart/webhook-certd-${VERSION}.tgz`,
      `npm/webhook-certd-${VERSION}.tgz`,
      'sbom.cdx.json',
    ]);
    expect(await readFile(join(outdir, 'CHANGES.md'), 'utf8')).to.equal('- this\n');
    expect(JSON.parse(await readFile(join(outdir, 'sbom.cdx.json'), 'utf8'))).to.include({ bomFormat: 'CycloneDX' });
    const lines = (await readFile(join(outdir, 'SHA256SUMS'), 'utf8')).trimEnd().split('\n');
    expect(lines).to.have.length(4);
    for (const line of lines) {
      const [hash, path = ''] = line.split('  ');
      const content = await readFile(join(outdir, path));
      expect(createHash('sha256').update(content).digest('hex'), path).to.equal(hash);
    }
  });

  it('begins with an empty folder', async () => {
    const { outdir } = options();
    await mkdir(outdir);
    await writeFile(join(outdir, 'of-the-last-one'), '');
    expect(await release(options())).not.to.include('of-the-last-one');
  });

  it('is refused with every reason at once, and writes nothing', async () => {
    await change('package.json', 'github.com/someone/', 'github.com/OWNER/');
    await change('CHANGELOG.md', '2026-12-01', 'not yet published');
    await change('charts/webhook-certd/Chart.yaml', `appVersion: ${VERSION}`, 'appVersion: 0.0.9');
    await write('new-file', '');
    const problem = await release(options({ base: 'node:26-slim' })).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(problem).to.equal(
      [
        `${VERSION} cannot be released:`,
        '  the checkout has changes that are not committed',
        `  charts/webhook-certd/Chart.yaml states 0.0.9, not ${VERSION}`,
        '  package.json names github.com/OWNER/: fill in the owner of the repository',
        `  CHANGELOG.md has no section [${VERSION}] with a date`,
        '  the base image node:26-slim has no digest: IMAGE:TAG@sha256:...',
        '',
      ].join('\n'),
    );
    expect(await readFile(options().outdir).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal(
      'ENOENT',
    );
  });

  it('accepts a base image by its digest', async () => {
    expect(await releaseProblems(options({ base: BASE }), VERSION)).to.deep.equal([]);
  });

  it('can be drafted of any checkout, with what is unreleased', async () => {
    await change('CHANGELOG.md', '2026-12-01', 'not yet published');
    await write('new-file', '');
    await release(options({ draft: true }));
    expect(await readFile(join(options().outdir, 'CHANGES.md'), 'utf8')).to.equal('- next\n');
  });

  it('packs the chart to the same bytes, whenever and by whomever', async () => {
    const [one, other] = [join(folder.path, 'one.tgz'), join(folder.path, 'other.tgz')];
    await packChart(root, one);
    await runTool('touch', '--date=2001-01-01', join(root, 'charts/webhook-certd/Chart.yaml'));
    await packChart(root, other);
    expect((await readFile(one)).equals(await readFile(other))).to.equal(true);
    const files = (await runTool('tar', '-tzf', one)).split('\n');
    expect(files).to.include('webhook-certd/Chart.yaml').and.not.to.include('webhook-certd/.helmignore');
  });

  it('finds the version in every file of this repository that states it', async () => {
    const problems = await releaseProblems({ ...options(), root: ROOT }, VERSION);
    expect(problems.filter((problem) => problem.includes('states'))).to.deep.equal([]);
  });
});

describe('the changes of a version', () => {
  it('are its section, until the next heading', () => {
    expect(changesOf(CHANGELOG, VERSION)).to.equal('- this');
    expect(changesOf(CHANGELOG, '0.0.9')).to.equal('- former');
    expect(changesOf(CHANGELOG, 'Unreleased')).to.equal('- next');
  });

  it('are none without a section, or without its date', () => {
    expect(changesOf(CHANGELOG, '0.0.1')).to.equal(null);
    expect(changesOf(CHANGELOG.replace('2026-12-01', 'soon'), VERSION)).to.equal(null);
  });
});
