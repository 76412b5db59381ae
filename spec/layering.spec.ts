import { expect } from 'chai';
import { sourceFiles } from './support/source-files.ts';
import type { SourceFile } from './support/source-files.ts';

const streams = sourceFiles('streams');
const src = sourceFiles('src');

/** The folder of src/ a file is in; empty for the files at its root, which join the folders. */
const folderOf = (path: string): string => /^src\/([^/]+)\//.exec(path)?.[1] ?? '';

/** Folders that put others together: what somebody types on the command line. */
const JOINERS = new Set(['', 'commands', 'demo', 'check']);

const offenders = (found: readonly string[]): void => {
  expect(found.join('\n')).to.equal('');
};

describe('the layers', () => {
  it('streams/ imports rxjs and itself, nothing else', () => {
    offenders(
      streams.flatMap(({ path, imports }) =>
        imports
          .filter((name) => name !== 'rxjs' && !name.startsWith('streams/'))
          .map((name) => `${path} imports ${name}`),
      ),
    );
  });

  it('streams/ is flat, and src/ has one level of folders', () => {
    offenders(
      [...streams, ...src]
        .map(({ path }) => path)
        .filter((path) => path.split('/').length > (path.startsWith('src') ? 3 : 2)),
    );
  });

  it('a folder of src/ imports itself, the root of src/ and streams/, and no other folder', () => {
    offenders(
      src.flatMap(({ path, imports }) => {
        const own = folderOf(path);
        if (JOINERS.has(own)) return [];
        return imports
          .filter((name) => name.startsWith('src/') && !['', own].includes(folderOf(name)))
          .map((name) => `${path} imports ${name}`);
      }),
    );
  });

  it('only the demo loads the embedded cluster', () => {
    offenders(
      src.flatMap(({ path, imports }) =>
        imports
          .filter((name) => folderOf(name) === 'embedded' && !['embedded', 'demo'].includes(folderOf(path)))
          .map((name) => `${path} imports ${name}`),
      ),
    );
  });

  it('only main.ts, and what starts it, touch process', () => {
    offenders(
      src
        .filter(
          ({ path, text }) =>
            !['src/main.ts', 'src/start.ts'].includes(path) && /^(?!\s*(?:\/?\*|\/\/)).*\bprocess\.\w/m.test(text),
        )
        .map(({ path }) => path),
    );
  });

  it('nothing that runs in a cluster looks at `performance`, which would evaluate node:perf_hooks at the start', () => {
    offenders(
      src
        .filter(
          ({ path, text }) => folderOf(path) !== 'demo' && /^(?!\s*(?:\/?\*|\/\/)).*\bperformance\.\w/m.test(text),
        )
        .map(({ path }) => path),
    );
  });

  it('only the webhook server swaps certificates', () => {
    offenders(
      src
        .filter(({ path, text }) => path !== 'src/webhook/server.ts' && text.includes('.setSecureContext('))
        .map(({ path }) => path),
    );
  });

  it('nothing that ships imports spec/', () => {
    offenders(
      [...streams, ...src].flatMap(({ path, imports }) =>
        imports.filter((name) => name.startsWith('spec/')).map((name) => `${path} imports ${name}`),
      ),
    );
  });

  it('no file of streams/ exports a Subject', () => {
    offenders(streams.filter(({ text }) => /export const \w+\$? = new \w*Subject/.test(text)).map(({ path }) => path));
  });

  it('the X.509 library is loaded by a leader that must issue, never on the way up', () => {
    offenders(
      src
        .filter(({ path }) => !path.startsWith('src/certificates/') && !path.startsWith('src/embedded/'))
        .filter(({ text }) => /^import (?!type)[^;]*certificates\/authority\.ts'/m.test(text))
        .map(({ path }) => path),
    );
  });

  it('files are short: half of them under 60 lines', () => {
    const lines = [...streams, ...src].map(({ text }) => text.split('\n').length).sort((left, right) => left - right);
    expect(lines[Math.floor(lines.length / 2)]).to.be.below(60);
  });

  it('every file of streams/ that runs has the spec named after it', () => {
    const specs = sourceFiles('spec/streams').map(({ path }) => path);
    offenders(
      streams
        .filter(({ text }) => /^export (?!type|interface)\w+ \w/m.test(text))
        .map(({ path }) => `spec/${path.replace('.ts', '.spec.ts')}`)
        .filter((path) => !specs.includes(path)),
    );
  });

  it('streams/ has three lines of spec a line of code', () => {
    const linesOf = (files: readonly SourceFile[]) => files.reduce((sum, { text }) => sum + text.split('\n').length, 0);
    expect(linesOf(sourceFiles('spec/streams'))).to.be.at.least(3 * linesOf(streams));
  });
});
