import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '..', '..');
const json = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly scripts: Readonly<Record<string, string>>;
}
interface Locked extends Partial<Pick<Manifest, 'dependencies' | 'devDependencies'>> {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const manifest = json('package.json') as Manifest;
const { '': own = {}, ...locked } = (
  json('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> }
).packages;

describe('the dependencies', () => {
  it('are asked for in one exact version each, and locked as they are asked for', () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
      expect(locked[`node_modules/${name}`]?.version, name).to.equal(version);
    }
    expect(own).to.deep.include({ dependencies: manifest.dependencies, devDependencies: manifest.devDependencies });
  });

  it('are each locked to one version by the hash of what was published', () => {
    expect(Object.keys(locked)).to.have.length.above(100);
    for (const [path, { version, integrity, resolved }] of Object.entries(locked)) {
      expect(version, path).to.match(/^\d+\.\d+\.\d+/);
      expect(integrity, path).to.match(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(resolved, path).to.equal(undefined);
    }
  });

  it('run nothing at installation but what is allowed by name', () => {
    const running = Object.entries(locked).flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? [path] : []));
    const allowed = Object.entries(manifest.allowScripts).flatMap(([name, may]) =>
      may ? [`node_modules/${name}`] : [],
    );
    expect(running.filter((path) => !path.includes('fsevents'))).to.have.members(allowed);
    for (const hook of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(manifest.scripts).to.not.have.property(hook);
  });

  it('come from the registry of the installing user: no committed file names one', () => {
    const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
    // In two parts, or this file would name one.
    const named = new RegExp(['npm', 'js\\.(?:com|org)|//regis', 'try\\.[a-z]'].join(''), 'i');
    for (const file of files) expect(readFileSync(join(root, file), 'latin1'), file).to.not.match(named);
  });
});
