import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { build, type Built } from './build.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const root = join(import.meta.dirname, '..', '..');
const KIB = 1_024;
const WHOLE = 'whole';
const OWN = 'own code';
const OTHERS = 'other libraries';

/** The rows of docs/performance.md: what may be inside, and how many KiB of it. */
const limits = async (): Promise<ReadonlyMap<string, number>> => {
  const text = await readFile(join(root, 'docs', 'performance.md'), 'utf8');
  const section = /\n## What the bundle holds\n([^]*?)\n## /.exec(text)?.[1] ?? '';
  return new Map(
    [...section.matchAll(/^\| `?(?<part>[^|`]+?)`? \| (?<kib>[\d,]+) KiB \|/gm)].map(({ groups }) => [
      groups?.['part'] ?? '',
      Number(groups?.['kib']?.replace(',', '')),
    ]),
  );
};

describe('the size of the bundle', () => {
  let built: Built;
  let allowed: ReadonlyMap<string, number>;

  before(async () => {
    await using folder = await temporaryDirectory();
    const outfile = join(folder.path, 'webhook-certd.js');
    built = await build({ entry: join(root, 'src', 'main.ts'), outfile, sourcemap: false });
    allowed = await limits();
  });

  const sizes = (): ReadonlyMap<string, number> => {
    const found = new Map([[WHOLE, built.bytes]]);
    for (const [part, bytes] of built.parts) {
      const row = /^(?:src|streams)\//.test(part) ? OWN : allowed.has(part) ? part : OTHERS;
      found.set(row, (found.get(row) ?? 0) + bytes);
    }
    return found;
  };

  it('stays within what docs/performance.md allows, as a whole and of each library', () => {
    const over = [...sizes()].flatMap(([part, bytes]) =>
      bytes <= (allowed.get(part) ?? 0) * KIB ? [] : [`${part}: ${Math.ceil(bytes / KIB)} KiB`],
    );
    expect(over).to.deep.equal([]);
  });

  it('is no smaller than that by more than a fifth, so that the limits say what is there', () => {
    const found = sizes();
    const under = [...allowed].flatMap(([part, kib]) =>
      (found.get(part) ?? 0) >= 0.8 * kib * KIB ? [] : [`${part}: ${Math.ceil((found.get(part) ?? 0) / KIB)} KiB`],
    );
    expect(under).to.deep.equal([]);
  });
});
