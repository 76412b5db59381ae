import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { VERSION } from '../../src/config/version.ts';
import { buildImage } from '../support/release.ts';
import { runTool } from '../support/run-tool.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MIB = 1 << 20;
/** What the build stage runs, from Debian's packages. `ldd` is a script of bash. */
const PROGRAMS = ['sh', 'bash', 'ldd', 'cat', 'cp', 'dirname', 'grep', 'ln', 'mkdir', 'rm', 'sed', 'test'];

const whereIs = (program: string): string | null => {
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
};

const canBuild = process.getuid?.() === 0 && whereIs('buildah') !== null && whereIs('ldd') !== null;

/** Copies a file to the same path below a folder, with what its links lead to. */
const copyInto = (folder: string, path: string, from = path): void => {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  copyFileSync(realpathSync(from), join(folder, path));
};

/** Lays out what stands for the base image: a shell, a few programs, and this Node. `npm ci` finds what is installed here. */
const layOutBase = (folder: string): void => {
  const programs = PROGRAMS.map((name) => whereIs(name)).filter((path) => path?.startsWith('/') === true) as string[];
  const libraries = [...programs, process.execPath].flatMap(
    (path) =>
      execFileSync('sh', ['-c', `ldd ${realpathSync(path)} 2>/dev/null || true`], { encoding: 'utf8' }).match(
        /\/\S+/g,
      ) ?? [],
  );
  for (const path of programs) copyInto(folder, join('/bin', basename(path)), path);
  for (const path of new Set(libraries)) copyInto(folder, path);
  copyInto(folder, '/usr/local/bin/node', process.execPath);
  writeFileSync(join(folder, 'usr/local/bin/npm'), '#!/bin/sh\ntest "$1" = ci && test -d node_modules/esbuild\n', {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'usr/local/LICENSE'), 'of Node\n');
  for (const library of ['libc6', 'libstdc++6']) {
    const copyright = `/usr/share/doc/${library}/copyright`;
    if (existsSync(copyright)) copyInto(folder, copyright);
  }
  mkdirSync(join(folder, 'tmp'));
};

const filesBelow = (folder: string, below = ''): readonly string[] =>
  readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = `${below}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });

if (canBuild)
  describe('the image that buildah makes of the Dockerfile', function () {
    this.timeout(300_000);
    let storage: TemporaryDirectory;
    let image: string;
    let archive: string;
    const stored = () => [
      '--storage-driver=vfs',
      `--root=${join(storage.path, 'root')}`,
      `--runroot=${join(storage.path, 'run')}`,
    ];
    const buildah = async (...args: readonly string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)('buildah', [...stored(), ...args], {
        cwd: ROOT,
        maxBuffer: 64 * MIB,
      });
      return stdout.trim();
    };
    before(async () => {
      storage = await temporaryDirectory();
      const base = join(storage.path, 'base');
      layOutBase(base);
      writeFileSync(join(base, 'Dockerfile'), 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/bin\n');
      await buildah('build', '--isolation=chroot', '--tag', 'node:26-slim', base);
      archive = join(storage.path, 'spec.oci.tar');
      await buildImage({
        root: ROOT,
        base: 'localhost/node:26-slim',
        revision: '0123abc',
        image: 'localhost/spec',
        outfile: archive,
        global: stored(),
        build: ['--isolation=chroot', '--pull=never', `--volume=${join(ROOT, 'node_modules')}:/app/node_modules:ro`],
      });
      image = await buildah('mount', await buildah('from', '--pull=never', 'localhost/spec'));
    });
    after(async () => {
      await buildah('umount', '--all');
      await storage[Symbol.asyncDispose]();
    });

    it('contains Node with its libraries, the bundle, and what says what is inside, and nothing else', () => {
      const files = filesBelow(image).filter((path) => !/\/lib(?:64)?\//.test(path));
      expect(files).to.have.members([
        '/app/start.cjs',
        '/app/webhook-certd.cache',
        '/app/webhook-certd.js',
        '/etc/nsswitch.conf',
        '/etc/passwd',
        '/usr/local/bin/node',
        '/usr/local/bin/webhook-certd',
        '/usr/share/doc/nodejs/LICENSE',
        '/usr/share/doc/webhook-certd/LICENSE',
        '/usr/share/doc/webhook-certd/THIRD-PARTY-NOTICES.txt',
        '/usr/share/doc/webhook-certd/sbom.cdx.json',
        ...['libc6', 'libstdc++6'].flatMap((library) => {
          const path = `/usr/share/doc/${library}/copyright`;
          return existsSync(path) ? [path] : [];
        }),
      ]);
      const libraries = filesBelow(image).filter((path) => /\/lib(?:64)?\//.test(path));
      for (const path of libraries) expect(path).to.match(/\.so(?:\.\d+)*$/);
    });

    it('is an OCI archive that can be copied to a registry', async () => {
      const files = (await runTool('tar', '-tf', archive)).split('\n');
      expect(files).to.include.members(['oci-layout', 'index.json']);
      expect(await runTool('tar', '-xOf', archive, 'index.json')).to.include('localhost/spec');
    });

    it('lists the packages that are in its bundle', () => {
      const { metadata } = JSON.parse(
        readFileSync(join(image, 'usr/share/doc/webhook-certd/sbom.cdx.json'), 'utf8'),
      ) as { readonly metadata: { readonly component: { readonly version: string } } };
      expect(metadata.component.version).to.equal(VERSION);
    });

    it('runs as a user without privileges, with its labels', async () => {
      const { OCIv1 } = JSON.parse(await buildah('inspect', '--type=image', 'localhost/spec')) as {
        readonly OCIv1: {
          readonly config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
        };
      };
      expect(OCIv1.config.User).to.equal('65532:65532');
      expect(OCIv1.config.Labels).to.include({
        'org.opencontainers.image.version': VERSION,
        'org.opencontainers.image.revision': '0123abc',
        'org.opencontainers.image.base.name': 'localhost/node:26-slim',
      });
    });

    it('starts on a read-only file system, as that user, by the name on its PATH', async () => {
      const inside =
        'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec chroot --userspec=65532:65532 "$0" "$@"';
      const run = (...args: readonly string[]) =>
        promisify(execFile)('unshare', ['--mount', 'sh', '-c', inside, image, ...args], {
          env: { PATH: process.env['PATH'] },
        });
      expect((await run('/usr/local/bin/webhook-certd', 'version')).stdout).to.equal(`${VERSION}\n`);
      const failed = await run('/usr/local/bin/webhook-certd', 'serve', '--tick=never').catch(
        (error: unknown) => error,
      );
      expect(failed).to.have.property('code', 2);
    });

    it('is little more than Node', () => {
      const bytes = filesBelow(image).reduce((sum, path) => sum + lstatSync(join(image, path)).size, 0);
      const node = lstatSync(join(image, 'usr/local/bin/node')).size;
      expect((bytes - node) / MIB).to.be.within(3, 16);
    });
  });
