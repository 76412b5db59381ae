import { expect } from 'chai';
import { sourceFiles } from './support/source-files.ts';

const streams = sourceFiles('streams');
const src = sourceFiles('src');
const production = [...streams, ...src];

/**
 * The rooms from the ground up. A file imports from its own room and from rooms further down, never from one above it.
 * docs/architecture.md says what each room holds.
 */
const ROOMS = [
  'streams',
  'util',
  'logging',
  'config',
  'certificates',
  'kube',
  'cluster',
  'webhook',
  'status',
  'metrics',
  'page',
  'daemon',
  'embed',
  'check',
  'manifests',
  'commands',
  'dev-cluster',
  'author',
  'demo',
  'main',
];

const roomOf = (path: string): string =>
  path.startsWith('streams/') ? 'streams' : (/^src\/([^/]+)\//.exec(path)?.[1] ?? 'main');

const own = (names: readonly string[]): readonly string[] =>
  names.filter((name) => name.startsWith('src/') || name.startsWith('streams/'));

/** The first circle of imports that is found, as the files along it; null when there is none. */
const circle = (): readonly string[] | null => {
  const importsOf = new Map(production.map(({ path, imports }) => [path, own(imports)]));
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): readonly string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of importsOf.get(path) ?? []) {
      const found = walk(next, [...trail, path]);
      if (found !== null) return found;
    }
    done.add(path);
    return null;
  };
  for (const path of importsOf.keys()) {
    const found = walk(path, []);
    if (found !== null) return found;
  }
  return null;
};

/** Code without its comments' lines. */
const touches = (text: string, name: string): boolean =>
  new RegExp(String.raw`^(?!\s*(?:\/?\*|\/\/)).*\b${name}\.\w`, 'm').test(text);

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

  it('streams/ is flat, src/ has one level of rooms, and only the entry points lie loose in src/', () => {
    offenders(
      production.map(({ path }) => path).filter((path) => path.split('/').length > (path.startsWith('src') ? 3 : 2)),
    );
    offenders(
      src
        .map(({ path }) => path)
        .filter((path) => path.split('/').length === 2 && !['src/main.ts', 'src/start.ts'].includes(path)),
    );
  });

  it('every folder of src/ is a room with a place in the order', () => {
    offenders(production.map(({ path }) => roomOf(path)).filter((room) => !ROOMS.includes(room)));
  });

  it('imports go down through the rooms, never up', () => {
    offenders(
      production.flatMap(({ path, imports }) =>
        own(imports)
          .filter((name) => ROOMS.indexOf(roomOf(name)) > ROOMS.indexOf(roomOf(path)))
          .map((name) => `${path} imports ${name}`),
      ),
    );
  });

  it('imports form no circle, types included', () => {
    expect(circle()?.join(' -> ')).to.equal(undefined);
  });

  it('only the demo and the tools for authors load the development cluster', () => {
    offenders(
      src.flatMap(({ path, imports }) =>
        imports
          .filter((name) => roomOf(name) === 'dev-cluster' && !['dev-cluster', 'author', 'demo'].includes(roomOf(path)))
          .map((name) => `${path} imports ${name}`),
      ),
    );
  });

  it('only main.ts and start.ts touch process', () => {
    offenders(
      src.filter(({ path, text }) => roomOf(path) !== 'main' && touches(text, 'process')).map(({ path }) => path),
    );
  });

  it('nothing that runs in a cluster uses `performance`, which evaluates node:perf_hooks at the start', () => {
    offenders(
      src.filter(({ path, text }) => roomOf(path) !== 'demo' && touches(text, 'performance')).map(({ path }) => path),
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
      production.flatMap(({ path, imports }) =>
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
        .filter(({ path }) => !['certificates', 'dev-cluster'].includes(roomOf(path)))
        .filter(({ text }) => /^import (?!type)[^;]*certificates\/issue\.ts'/m.test(text))
        .map(({ path }) => path),
    );
  });

  it('files have at most 400 lines', () => {
    offenders(production.filter(({ text }) => text.split('\n').length > 400).map(({ path }) => path));
  });
});
