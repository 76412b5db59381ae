import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { runTool } from './run-tool.ts';

export interface ReleaseOptions {
  /** The checkout. */
  readonly root: string;
  /** Is emptied first. */
  readonly outdir: string;
  /** Accepts what a release may not have: uncommitted changes, an unreleased changelog, the placeholder of the owner. */
  readonly draft: boolean;
  /** The base image, by digest unless it is a draft; null to build no image. */
  readonly base: string | null;
  /** Packs the npm package into a folder. */
  readonly pack?: (folder: string) => Promise<unknown>;
}

const PLACEHOLDER = 'github.com/OWNER/';
const DIGEST = /@sha256:[0-9a-f]{64}$/;
/** The files that state the version, each in its own way. */
export const VERSIONED: Readonly<Record<string, RegExp>> = {
  'package.json': /"version": "([^"]+)"/,
  'package-lock.json': /"version": "([^"]+)"/,
  'charts/webhook-certd/Chart.yaml': /^appVersion: (.+)$/m,
  Dockerfile: /image\.version="([^"]+)"/,
  'manifests/base/deployment.yaml': /image: webhook-certd:(.+)$/m,
  'manifests/cluster-check/deployment.yaml': /image: webhook-certd:(.+)$/m,
  'manifests/cluster-check-cronjob/cronjob.yaml': /image: webhook-certd:(.+)$/m,
};

/** The section of a version in the changelog, without its heading; null when there is none, or none with a date. */
export const changesOf = (changelog: string, version: string): string | null => {
  const sections = changelog.split(/^## (?=\[)/m).slice(1);
  const isDated = /^\[[^\]]+\] - \d{4}-\d{2}-\d{2}$/;
  const found = sections.find((each) => {
    const [heading = ''] = each.split('\n');
    return heading === '[Unreleased]'
      ? version === 'Unreleased'
      : heading.startsWith(`[${version}]`) && isDated.test(heading);
  });
  return found === undefined ? null : found.slice(found.indexOf('\n')).trim();
};

/** Why this checkout cannot be released. */
export const releaseProblems = async ({ root, base }: ReleaseOptions, version: string): Promise<readonly string[]> => {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
  const status = await runTool('git', '-C', root, 'status', '--porcelain');
  const versions = await Promise.all(
    Object.entries(VERSIONED).map(async ([path, pattern]) => ({ path, stated: pattern.exec(await read(path))?.[1] })),
  );
  return [
    ...(status === '' ? [] : ['the checkout has changes that are not committed']),
    ...versions
      .filter(({ stated }) => stated !== version)
      .map(({ path, stated = 'no version' }) => `${path} states ${stated}, not ${version}`),
    ...((await read('package.json')).includes(PLACEHOLDER)
      ? [`package.json names ${PLACEHOLDER}: fill in the owner of the repository`]
      : []),
    ...(changesOf(await read('CHANGELOG.md'), version) === null
      ? [`CHANGELOG.md has no section [${version}] with a date`]
      : []),
    ...(base === null || DIGEST.test(base) ? [] : [`the base image ${base} has no digest: IMAGE:TAG@sha256:...`]),
  ];
};

/** Packs the chart as `helm package` does, and twice to the same bytes. */
export const packChart = async (root: string, outfile: string): Promise<void> => {
  const fixed = [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u=rwX,go=rX',
    '--exclude=.helmignore',
  ];
  await runTool(
    'tar',
    '-C',
    join(root, 'charts'),
    ...fixed,
    '--use-compress-program=gzip -n',
    '-cf',
    outfile,
    'webhook-certd',
  );
};

const filesBelow = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort();

/** One line for each file, as `sha256sum --check` reads it. */
const checksums = async (folder: string): Promise<string> => {
  const lines = (await filesBelow(folder)).map(async (path) => {
    const hash = createHash('sha256').update(await readFile(join(folder, path)));
    return `${hash.digest('hex')}  ${path}\n`;
  });
  return (await Promise.all(lines)).join('');
};

export interface ImageOptions {
  /** The folder with the Dockerfile. */
  readonly root: string;
  readonly base: string;
  readonly revision: string;
  /** Its name and tag. */
  readonly image: string;
  /** The archive. */
  readonly outfile: string;
  /** More arguments of buildah, and of its command `build`. */
  readonly global?: readonly string[];
  readonly build?: readonly string[];
}

/** Builds the Dockerfile into an OCI archive. */
export const buildImage = async ({ root, base, revision, image, outfile, ...more }: ImageOptions): Promise<void> => {
  const { global = [], build = [] } = more;
  const args = [`--build-arg=BASE=${base}`, `--build-arg=REVISION=${revision}`, `--tag=${image}`];
  await runTool('buildah', ...global, 'build', ...build, ...args, root);
  await runTool('buildah', ...global, 'push', image, `oci-archive:${outfile}:${image}`);
};

/**
 * Lays out everything that a release publishes, and publishes nothing.
 *
 * @returns the files, by their path in the folder
 * @throws Error with every reason why this checkout cannot be released
 */
export const release = async (options: ReleaseOptions): Promise<readonly string[]> => {
  const { root, outdir, draft, base } = options;
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const problems = draft ? [] : await releaseProblems(options, version);
  if (problems.length > 0)
    throw new Error(`${version} cannot be released:\n${problems.map((each) => `  ${each}\n`).join('')}`);

  await rm(outdir, { recursive: true, force: true });
  const [npm, chart, image] = ['npm', 'chart', 'image'].map((name) => join(outdir, name)) as [string, string, string];
  await mkdir(npm, { recursive: true });
  await mkdir(chart, { recursive: true });
  // Packing builds first.
  const { pack = (folder: string) => runTool('npm', 'pack', root, '--silent', '--pack-destination', folder) } = options;
  await pack(npm);
  const tarball = join(npm, `webhook-certd-${version}.tgz`);
  if (!existsSync(tarball)) throw new Error(`npm pack has not written ${tarball}`);
  await writeFile(
    join(outdir, 'sbom.cdx.json'),
    `${await runTool('tar', '-xzOf', tarball, 'package/dist/sbom.cdx.json')}\n`,
  );
  await packChart(root, join(chart, `webhook-certd-${version}.tgz`));
  if (base !== null) {
    await mkdir(image);
    const revision = await runTool('git', '-C', root, 'rev-parse', 'HEAD');
    const outfile = join(image, `webhook-certd-${version}.oci.tar`);
    await buildImage({ root, base, revision, image: `webhook-certd:${version}`, outfile });
  }
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  await writeFile(
    join(outdir, 'CHANGES.md'),
    `${changesOf(changelog, version) ?? changesOf(changelog, 'Unreleased') ?? ''}\n`,
  );
  await writeFile(join(outdir, 'SHA256SUMS'), await checksums(outdir));
  return filesBelow(outdir);
};

const HELP = `Usage: npm run release -- [--draft] (--base IMAGE:TAG@sha256:DIGEST | --no-image)

Writes dist/release: the npm package, the chart, the image as an OCI archive, the bill of materials, the changes and
the checksums. Publishes nothing; docs/releasing.md says how to.

  --base IMAGE   the base image of the Dockerfile, by digest
  --no-image     build no image; the default where buildah is not installed
  --draft        of a checkout that cannot be released yet
  --help         print this text
`;

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      base: { type: 'string' },
      'no-image': { type: 'boolean', default: false },
      draft: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const hasBuildah = await runTool('buildah', '--version').then(
    () => true,
    () => false,
  );
  const isImage = hasBuildah && !values['no-image'];
  if (!hasBuildah && !values['no-image']) process.stderr.write('buildah is not installed: no image is built\n');
  const root = join(import.meta.dirname, '..', '..');
  const outdir = join(root, 'dist', 'release');
  const base = isImage ? (values.base ?? 'node:26-slim') : null;
  const files = await release({ root, outdir, draft: values.draft, base });
  process.stdout.write(`dist/release, of which nothing is published:\n${files.map((file) => `  ${file}\n`).join('')}`);
};

if (import.meta.main)
  await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
