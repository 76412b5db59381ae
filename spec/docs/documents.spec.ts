import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { settings } from '../../src/config/variables.ts';
import { gauges } from '../../src/metrics/endpoint.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { processFamilies } from '../../src/metrics/process-usage.ts';
import { USAGE } from '../metrics/usage.ts';
import { sourceFiles } from '../support/source-files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Everything written for a reader, from the root of the repository. */
const DOCUMENTS = [
  ...globSync('*.md', { cwd: ROOT }),
  ...globSync('{docs,examples,manifests,spec,streams}/**/*.md', { cwd: ROOT }),
].toSorted();

/** The changelog names what earlier versions had. */
const CURRENT_DOCUMENTS = DOCUMENTS.filter((path) => path !== 'CHANGELOG.md');

const sources = sourceFiles('src', 'streams', 'spec');
const production = sources.filter(({ path }) => !path.startsWith('spec/'));

const offenders = (found: readonly string[]): void => {
  expect([...new Set(found)].join('\n')).to.equal('');
};

/** Without fenced blocks and the table of surviving mutants, whose content is quoted from other places. */
const prose = (text: string): string =>
  text.replaceAll(/^ *```[^]*?^ *```$/gm, '').replace(/(^#+ Surviving mutants$)[^]*?(?=^# |^## |(?![^]))/m, '$1\n');
const codeSpans = (text: string): readonly string[] =>
  [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

/** The anchor that a heading gets on GitHub. */
const anchor = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
const anchors = (text: string): readonly string[] =>
  [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

/** The rows of the first table below a heading, cell by cell, without its head. */
const tableBelow = (text: string, heading: string): readonly (readonly string[])[] => {
  const [, table = ''] =
    new RegExp(String.raw`\n#+ ${heading}\n[^]*?\n\|[^\n]*\n\|[-| ]+\n((?:\|[^\n]*\n)+)`).exec(text) ?? [];
  return table
    .trim()
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
};
const firstSpans = (rows: readonly (readonly string[])[]): readonly string[] =>
  rows.flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));

const contract = read('docs/contract.md');
const decisions = read('docs/decisions.md');
const architecture = read('docs/architecture.md');

describe('the documents', () => {
  it('define every law that is cited', () => {
    const defined = new Set([...contract.matchAll(/^- \*\*([FL]\d+)\*\* /gm)].map(([, law]) => law));
    expect(defined).to.include('F1').and.include('L1');
    const texts = [...sources, ...DOCUMENTS.map((path) => ({ path, text: read(path) }))];
    // Neither a part of a longer word nor a line number in an address (`#L14`).
    const CITED = /(?<![\w#.$-])[FL][1-9]\d?(?![\w$-])/g;
    offenders(
      texts.flatMap(({ path, text }) =>
        [...text.matchAll(CITED)].filter(([law]) => !defined.has(law)).map(([law]) => `${path} cites ${law}`),
      ),
    );
  });

  it('define every decision that is cited, each once and in order', () => {
    const defined = [...decisions.matchAll(/^## (D-\d{3}): /gm)].map(([, decision = '']) => decision);
    expect(defined).to.deep.equal(defined.map((_, at) => `D-${String(at + 1).padStart(3, '0')}`));
    const texts = [...sources, ...CURRENT_DOCUMENTS.map((path) => ({ path, text: read(path) }))];
    offenders(
      texts.flatMap(({ path, text }) =>
        [...text.matchAll(/\bD-\d{3}\b/g)]
          .filter(([decision]) => !defined.includes(decision))
          .map(([decision]) => `${path} cites ${decision}`),
      ),
    );
  });

  it('link to files and headings that exist', () => {
    offenders(
      DOCUMENTS.flatMap((path) =>
        [...prose(read(path)).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(
          ([link, target = '', heading]) => {
            const file = target === '' ? path : join(dirname(path), target);
            if (!existsSync(join(ROOT, file))) return [`${path}: ${link}`];
            return heading === undefined || anchors(read(file)).includes(heading) ? [] : [`${path}: ${link}`];
          },
        ),
      ),
    );
  });

  it('name files that exist', () => {
    const PATH = /^(?:\.\/)?[\w.{},*@-]+(?:\/[\w.{},*@-]+)*\/?$/;
    const ROOTS = /^(?:src|streams|spec|docs|manifests|examples|\.ci)\//;
    const names = new Set(
      globSync('{src,streams,spec,docs,manifests,examples}/**/*', { cwd: ROOT }).map((path) => path.split('/').at(-1)),
    );
    const exists = (path: string, from: string): boolean =>
      ROOTS.test(path)
        ? globSync(path.replace(/\/$/, ''), { cwd: ROOT }).length > 0
        : existsSync(join(ROOT, path)) ||
          existsSync(join(ROOT, dirname(from), path)) ||
          names.has(path.split('/').at(-1));
    offenders(
      CURRENT_DOCUMENTS.flatMap((from) =>
        codeSpans(read(from))
          .flatMap((code) => code.split(' '))
          .filter((word) => PATH.test(word) && (ROOTS.test(word) || /\w\.(?:ts|md|json|ya?ml)$/.test(word)))
          // A package built from this repository, and a handler of the user's.
          .filter((path) => !/^(?:dist|test-output)\//.test(path) && path !== 'handler.js')
          .filter((path) => !exists(path, from))
          .map((path) => `${from} names ${path}`),
      ),
    );
  });

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    offenders(
      CURRENT_DOCUMENTS.flatMap((path) =>
        [...read(path).matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)]
          .map(([, script, short]) => script ?? short ?? '')
          .filter((script) => !(script in scripts))
          .map((script) => `${path} names npm run ${script}`),
      ),
    );
  });

  it('name environment variables that exist', () => {
    const READ = /\benv\.([A-Z][A-Z0-9_]*)|\benv\['([A-Z][A-Z0-9_]*)'\]/g;
    const fromCode = sources.flatMap(({ text }) => [
      ...[...text.matchAll(READ)].map(([, dot, key]) => dot ?? key),
      ...[...text.matchAll(/\{([^{}]*)\} = env;/g)].flatMap(
        ([, names = '']) => names.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [],
      ),
    ]);
    const known = new Set<string | undefined>([...settings.map(([, { name }]) => name), ...fromCode]);
    offenders(
      CURRENT_DOCUMENTS.flatMap((path) =>
        [...prose(read(path)).matchAll(/(?<![\w/])[A-Z][A-Z0-9]*(?:_[A-Z0-9_]*[A-Z0-9](?!\w)|(?==))/g)]
          .filter(([name]) => !known.has(name))
          .map(([name]) => `${path} names ${name}`),
      ),
    );
  });

  it('say in a README of at most 150 lines how to pass the tests, by one line', () => {
    const readme = read('README.md');
    expect(readme.trimEnd().split('\n').length).to.be.at.most(150);
    expect(readme).to.match(/\n```sh\nnpm ci && npm test\n```\n/);
  });
});

describe('the configuration of test tools', () => {
  it('names files that exist', () => {
    const expanded = (pattern: string): readonly string[] => {
      const [braces, names = ''] = /\{([^{}]*)\}/.exec(pattern) ?? [];
      return braces === undefined
        ? [pattern]
        : names.split(',').flatMap((name) => expanded(pattern.replace(braces, name)));
    };
    const patternsOf = (path: string): readonly string[] =>
      Object.entries(JSON.parse(read(path)) as Readonly<Record<string, unknown>>).flatMap(([key, value]) => {
        if (key === 'mochaOptions') return (value as { readonly spec: readonly string[] }).spec;
        return ['spec', 'ignore', 'require', 'mutate'].includes(key) ? (value as readonly string[]) : [];
      });
    offenders(
      globSync('{.mocharc*,stryker*}.json', { cwd: ROOT }).flatMap((path) =>
        patternsOf(path)
          .flatMap(expanded)
          .filter((pattern) => !/[@!]\(/.test(pattern) && globSync(pattern, { cwd: ROOT }).length === 0)
          .map((pattern) => `${path} names ${pattern}`),
      ),
    );
  });

  it('lets npm test run each spec once, but those of the other suites', () => {
    const { spec, ignore } = JSON.parse(read('.mocharc.json')) as Readonly<
      Record<'spec' | 'ignore', readonly string[]>
    >;
    const matched = (patterns: readonly string[]): readonly string[] =>
      patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
    const others = new Set(matched(ignore));
    const run = matched(spec).filter((path) => !others.has(path));
    const all = globSync('spec/**/*.spec.ts', { cwd: ROOT }).filter((path) => !others.has(path));
    offenders([
      ...run.filter((path, at) => run.indexOf(path) !== at).map((path) => `${path} is run twice`),
      ...all.filter((path) => !run.includes(path)).map((path) => `${path} is not run`),
    ]);
  });
});

describe('docs/contract.md', () => {
  const logRows = (): readonly string[] => {
    const section = /\n## 5\. Log lines\n([^]*?)\n## /.exec(contract)?.[1] ?? '';
    return section.split('\n').filter((row) => /^\|[^|]*\| `/.test(row));
  };

  it('lists every metric and no other', () => {
    const everything = {
      version: '',
      ready: true,
      leader: true,
      mismatch: true,
      servedNotAfterMs: 1,
      mountedNotAfterMs: 1,
      secretNotAfterMs: 1,
      bundles: [{ target: 't', notAfterMs: 1 }],
      servingHashes: [null],
      refused: ['a'],
      neighbour: 'announced',
      rotationStep: 'announce',
    };
    const counted = Object.values(createMetrics()) as readonly { family(): { readonly name: string } }[];
    const names = [...gauges(everything), ...counted.map((one) => one.family())].map(({ name }) => name);
    expect(firstSpans(tableBelow(contract, '9\\. Metrics')).toSorted()).to.deep.equal(names.toSorted());
  });

  it('lists every metric of the process and no other', () => {
    const names = processFamilies(USAGE).map(({ name }) => name);
    const rows = tableBelow(contract, 'Metrics of the process').map(([names = '']) => [names]);
    expect(firstSpans(rows).toSorted()).to.deep.equal(names.toSorted());
  });

  it('lists every Event reason and no other', () => {
    const [, union = ''] = /reason:\s*((?:\|?\s*'\w+'\s*)+);/.exec(read('src/cluster/event-reasons.ts')) ?? [];
    const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason);
    expect(firstSpans(tableBelow(contract, '8\\. Kubernetes Events')).toSorted()).to.deep.equal(reasons.toSorted());
  });

  it('lists every event id with its message, and no other', () => {
    const [, table = ''] = /const MESSAGES = \{([^]*?)\} as const/.exec(read('src/logging/log-lines.ts')) ?? [];
    const inTable = [...table.matchAll(/^ +'?([\w-]+)'?: '([^']+)'/gm)].map(
      ([, id = '', text = '']) => `| \`${id}\` | \`${text}\` |`,
    );
    expect(inTable).to.have.length.above(20);
    offenders(inTable.filter((row) => !contract.includes(row)));
    const elsewhere = production.flatMap(({ text }) =>
      [...text.matchAll(/(?<!\()\bevent: '([\w-]+)'/g)].map(([, id = '']) => id),
    );
    const ids = new Set([...inTable.map((row) => row.split('`')[1]), ...elsewhere]);
    const listed = logRows().flatMap((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? []);
    offenders(listed.filter((id) => !ids.has(id)));
    offenders(elsewhere.filter((id) => !listed.includes(id)));
  });

  it('lists no log line without an event id', () => {
    offenders(logRows().filter((row) => /^\|\s*\|/.test(row)));
  });

  it('lists every log message and no other', () => {
    const messages = logRows().flatMap((row) =>
      [...(row.split('|')[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
    );
    const LOGGED = /\b(?:log|logger)(?:\.\w+|\[[^\]]*\])\(\s*'([A-Z][^']*)'/g;
    const logged = production.flatMap(({ text }) => [...text.matchAll(LOGGED)].map(([, message = '']) => message));
    expect(messages).to.have.length.above(20);
    offenders(logged.filter((message) => !messages.includes(message)));
    offenders(messages.filter((message) => !production.some(({ text }) => text.includes(`'${message}'`))));
  });
});

describe('docs/architecture.md', () => {
  const walk = (heading: string): readonly string[] => {
    const [, section = ''] = new RegExp(String.raw`\n### ${heading}\n([^]*?)\n##`).exec(architecture) ?? [];
    return [...section.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, path = '']) => path);
  };

  it('lists every room in the order of imports, and no other', () => {
    const rooms = firstSpans(tableBelow(architecture, 'Rooms')).map((room) => room.replace(/\/$/, ''));
    const folders = new Set(
      production.map(({ path }) =>
        path
          .split('/')
          .slice(0, path.startsWith('src/') ? 2 : 1)
          .join('/'),
      ),
    );
    expect(rooms.toSorted()).to.deep.equal([...folders].toSorted());
    const order = /const ROOMS = \[([^\]]*)\]/.exec(read('spec/layering.spec.ts'))?.[1] ?? '';
    const checked = [...order.matchAll(/'([\w-]+)'/g)].map(([, room = '']) => room);
    expect(rooms.map((room) => room.replace(/^src\//, '')).filter((room) => !room.endsWith('.ts'))).to.deep.equal(
      checked.filter((room) => room !== 'main'),
    );
  });

  it('walks from file to file along imports', () => {
    for (const heading of ['The announced hash', 'An AdmissionReview']) {
      const files = walk(heading);
      const importsOf = (path: string): readonly string[] =>
        production.find((file) => file.path === path)?.imports ?? [];
      const isLinked = (path: string): boolean =>
        files.some((other) => importsOf(other).includes(path) || importsOf(path).includes(other));
      offenders(files.filter((path) => !isLinked(path)));
    }
  });

  it('walks the announced hash in at most 18 files and a review in at most 10', () => {
    for (const [heading, most] of [
      ['The announced hash', 18],
      ['An AdmissionReview', 10],
    ] as const) {
      expect(walk(heading), heading).to.have.length.within(5, most);
      offenders(walk(heading).filter((path) => !existsSync(join(ROOT, path))));
    }
  });

  it('retires words that no exported name uses', () => {
    const retired = tableBelow(architecture, 'Retired words').map(([word = '']) => word);
    expect(retired).to.have.length.above(10);
    const exported = (text: string): readonly string[] => [
      ...[...text.matchAll(/^export (?:const|class|interface|type|function\*?|enum) (\w+)/gm)].map(
        ([, name = '']) => name,
      ),
      ...[...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.match(/\w+/g) ?? []),
    ];
    const words = (name: string): readonly string[] =>
      (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+/g) ?? []).map((word) => word.toLowerCase());
    offenders(
      production.flatMap(({ path, text }) =>
        exported(text)
          .filter((name) => words(name).some((word) => retired.includes(word)))
          .map((name) => `${path} exports ${name}`),
      ),
    );
  });

  it('defines each word of the glossary once, in alphabetical order', () => {
    const words = tableBelow(architecture, 'Glossary').map(([word = '']) => word);
    const compare = new Intl.Collator('en', { sensitivity: 'base' }).compare;
    expect(words).to.deep.equal(words.toSorted(compare));
    expect(new Set(words).size).to.equal(words.length);
  });
});
