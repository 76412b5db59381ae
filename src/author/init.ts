import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Problem } from '../../streams/problem.ts';
import { manifests, manifestText } from '../manifests/manifests.ts';
import { parseInstallation } from '../manifests/options.ts';
import { messageOf } from '../util/errors.ts';
import { HANDLER_IN_IMAGE, projectFiles, type ProjectNames } from './project.ts';

export interface InitOptions {
  /** Null: the name of the folder. */
  readonly name: string | null;
  /** Null: the name of the installation. */
  readonly namespace: string | null;
  /** What package.json gets webhook-certd from; null: this version. */
  readonly package: string | null;
}

interface InitDependencies {
  readonly print: (text: string) => void;
  /** A relative folder is resolved from it. */
  readonly directory: string;
  readonly version: string;
}

/** Every object of the installation, with the handler in an image of the project's name. */
const manifestsOf = ({ name, namespace }: ProjectNames): string => {
  const options = {
    namespace,
    createNamespace: true,
    mode: 'handler',
    replicas: 2,
    targets: null,
    issuer: 'self-signed',
    additions: [],
    image: `${name}:0.1.0`,
    appImage: '',
  } as const;
  const flags = new Map([
    ['name', name],
    ['webhook-handler', HANDLER_IN_IMAGE],
  ]);
  const result = parseInstallation(options, flags);
  if (!result.ok) throw new Problem(result.problems.join('\n'));
  return manifests(result.spec).map(manifestText).join('---\n');
};

/** @throws Problem when the folder holds anything, or cannot be made */
const makeEmptyFolder = (folder: string, given: string): void => {
  let names: readonly string[];
  try {
    mkdirSync(folder, { recursive: true });
    names = readdirSync(folder).filter((name) => name !== '.git');
  } catch (error) {
    throw new Problem(`${given}: ${messageOf(error)}`);
  }
  if (names.length > 0) throw new Problem(`${given}: expected a new or empty folder, and it holds ${names[0] ?? ''}`);
};

/**
 * `webhook-certd init`: writes a project with a handler, its test, a Dockerfile and manifests into a new or empty folder.
 *
 * @throws Problem when the folder is not empty, or a name cannot be used
 */
export const runInit = (
  given: string,
  options: InitOptions,
  { print, directory, version }: InitDependencies,
): number => {
  const folder = resolve(directory, given);
  const name = options.name ?? basename(folder);
  const names = { name, namespace: options.namespace ?? name, version, source: options.package ?? version };
  // Before anything is written: it checks the names.
  const files = { ...projectFiles(names), 'manifests.yaml': manifestsOf(names) };
  makeEmptyFolder(folder, given);
  // Never over a file that has appeared meanwhile.
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { flag: 'wx' });
  print(`wrote ${Object.keys(files).join(', ')}\nnext: cd ${given} && npm install && npm test && npm start`);
  return 0;
};
