import { readFile } from 'node:fs/promises';
import { expect } from 'chai';

const folder = new URL('../../src/certificates/', import.meta.url);

const importsOf = async (file: string): Promise<readonly string[]> =>
  [...(await readFile(new URL(file, folder), 'utf8')).matchAll(/^(?:import|export) (?!type)[^;]*?'([^']+)';$/gms)].map(
    ([, specifier = '']) => specifier,
  );

const reachable = async (file: string, seen = new Set<string>()): Promise<ReadonlySet<string>> => {
  for (const specifier of await importsOf(file)) {
    if (seen.has(specifier)) continue;
    seen.add(specifier);
    if (specifier.startsWith('./')) await reachable(specifier, seen);
  }
  return seen;
};

describe('the X.509 library', () => {
  it('is loaded by who issues and by nobody who only serves', async () => {
    expect(await reachable('./issue.ts')).to.include('@peculiar/x509');
    for (const file of ['./verify-pair.ts', './mount.ts', './certificate-info.ts', './ca-pair.ts']) {
      expect(await reachable(file)).not.to.include('@peculiar/x509');
    }
  });
});
