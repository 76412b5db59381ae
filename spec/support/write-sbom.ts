import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { version as bundlerVersion } from 'esbuild';
import { type LockedPackage, sbom, type SbomInput } from './sbom.ts';

/** Writes the bill of materials of a bundle beside it. `root` is the project's, with its lock file. */
export const writeSbom = async (
  root: string,
  bundleFile: string,
  inputs: readonly string[],
  outfile: string,
): Promise<void> => {
  const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(root, file), 'utf8'));
  const { packages } = (await json('package-lock.json')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const program = (await json('package.json')) as SbomInput['program'];
  const bundle = await readFile(bundleFile);
  const bundler = { name: 'esbuild', version: bundlerVersion };
  await writeFile(
    outfile,
    `${JSON.stringify(sbom({ inputs, locked: packages, program, bundle, bundler }), null, 2)}\n`,
  );
};
