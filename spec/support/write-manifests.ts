import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCommandLine } from '../../src/config/command-line.ts';
import type { InstallationSpec, Manifest } from '../../src/manifests/installation.ts';
import { manifests, manifestText } from '../../src/manifests/manifests.ts';
import { parseInstallation } from '../../src/manifests/options.ts';

const ROOT = join(import.meta.dirname, '..', '..', 'manifests');

/** What `webhook-certd manifests` with these arguments prints. */
export const installationOf = (args: readonly string[]): InstallationSpec => {
  const line = parseCommandLine(['manifests', ...args]);
  if (line.command !== 'manifests') throw new Error(line.problems.join('\n'));
  const result = parseInstallation(line.options, line.flags);
  const problems = [...line.problems, ...(result.ok ? [] : result.problems)];
  if (!result.ok || problems.length > 0) throw new Error(problems.join('\n'));
  return result.spec;
};

export const manifestsOf = (args: readonly string[]): readonly Manifest[] => manifests(installationOf(args));

/** The command line of `manifests/base`. A component is what an option adds to it. */
export const BASE = ['--name=webhook-certd', '--create-namespace'];

/** The components that only add objects, or all of whose added objects are written here, with their options. */
const COMPONENTS: Readonly<Record<string, string>> = {
  policy: '--with=policy',
  'network-policy': '--with=network-policy',
  monitoring: '--with=monitoring',
  'external-issuer': '--issuer=external',
  relay: '--issuer=relay',
};

const idOf = ({ object: { kind, metadata } }: Manifest): string => `${kind}/${metadata.name}`;

/** One file for each kind. */
const filesOf = (folder: string, objects: readonly Manifest[]): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  for (const object of objects) {
    const path = `${folder}/${object.object.kind.toLowerCase()}.yaml`;
    files.set(path, [files.get(path) ?? [], manifestText(object)].flat().join('---\n'));
  }
  return files;
};

/** The files below `manifests/` that are generated, by path. Run this file to write them. */
export const manifestFiles = (): ReadonlyMap<string, string> => {
  const base = manifestsOf(BASE);
  const inBase = new Set(base.map(idOf));
  const added = Object.entries(COMPONENTS).flatMap(([component, option]) => {
    // A kustomization generates the ConfigMap from the dashboard.
    const objects = manifestsOf([...BASE, option]).filter(
      (object) => !inBase.has(idOf(object)) && object.object.kind !== 'ConfigMap',
    );
    return [...filesOf(`components/${component}`, objects)];
  });
  const dashboard = readFileSync(join(ROOT, '..', 'src', 'manifests', 'dashboard.json'), 'utf8');
  return new Map([...filesOf('base', base), ...added, ['components/monitoring/dashboard.json', dashboard]]);
};

if (import.meta.main)
  for (const [path, text] of manifestFiles()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
