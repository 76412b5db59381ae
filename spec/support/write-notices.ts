import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageOf } from './sbom.ts';

/** `LICENSE`, `LICENCE.md`, `license-mit`, `COPYING`, `NOTICE`. */
const LEGAL = /^(?:licen[cs]e|copying|notice)(?:[-.].*)?$/i;
const RULE = '='.repeat(80);

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly homepage?: string;
}

const noticeOf = async (root: string, path: string): Promise<string> => {
  const folder = join(root, path);
  const own = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageJson;
  const files = (await readdir(folder)).filter((file) => LEGAL.test(file)).sort();
  const texts = await Promise.all(files.map(async (file) => (await readFile(join(folder, file), 'utf8')).trim()));
  const head = [`${own.name} ${own.version}`, own.license, own.homepage]
    .filter((part) => part !== undefined)
    .join(', ');
  const body = texts.length === 0 ? ['The package contains no text of its licence.'] : texts;
  return [RULE, head, RULE, ...body].join('\n\n');
};

/**
 * Writes the licences of the packages that are in a bundle, with the texts that they come with.
 *
 * @param inputs paths of the files that went into the bundle, from the root of the project
 */
export const writeNotices = async (root: string, inputs: readonly string[], outfile: string): Promise<void> => {
  const packages = [...new Set(inputs.flatMap((path) => packageOf(path) ?? []))].sort();
  const notices = await Promise.all(packages.map((path) => noticeOf(root, path)));
  const intro = 'webhook-certd contains the following packages.';
  await writeFile(outfile, `${[intro, ...notices].join('\n\n')}\n`);
};
