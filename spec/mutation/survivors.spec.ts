import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { developmentDocument } from './document.ts';
import { MUTATED_ROOMS, type MutatedRoom } from './rooms.ts';
import {
  type MutationReport,
  readResults,
  resultOf,
  scoreOf,
  shownLine,
  timeoutsOf,
  withoutSurvivors,
} from './survivors.ts';

const ROOT = new URL('../../', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const results = Object.entries(readResults());

describe('the list of surviving mutants', () => {
  for (const [name, { survivors }] of results)
    it(`of ${name} names lines that are in their files, each change with a reason`, () => {
      for (const { file, line, why } of survivors) {
        const lines = text(file).split('\n').map(shownLine);
        expect(lines, `${file}, whose mutants must be run again`).to.include(line);
        expect(why, `${file}: ${line}`).to.match(/^[A-Z].{10,}\.$/s);
      }
    });

  it('is of known rooms, whose scores are not below their minimum', () => {
    const rooms: Readonly<Record<string, MutatedRoom>> = MUTATED_ROOMS;
    for (const [name, result] of results) expect(scoreOf(result), name).to.be.at.least(rooms[name]?.minimum ?? 101);
  });

  it('is what docs/development.md shows', () => {
    expect(text('docs/development.md')).to.equal(developmentDocument());
  });
});

describe('the result of a mutated room', () => {
  const source = 'const a = 1;\nconst b = a   +\n  2;\n';
  const at = (line: number, from: number, to: number, endLine = line) => ({
    start: { line, column: from },
    end: { line: endLine, column: to },
  });
  const report: MutationReport = {
    files: {
      'x.ts': {
        source,
        mutants: [
          { status: 'Killed', location: at(1, 1, 2) },
          { status: 'Timeout', location: at(1, 1, 2) },
          { status: 'Timeout', static: true, location: at(1, 1, 2) },
          { status: 'Ignored', location: at(1, 1, 2) },
          { status: 'Survived', replacement: 'a - 2', location: at(2, 11, 4, 3) },
          { status: 'NoCoverage', replacement: '0', location: at(1, 11, 12) },
        ],
      },
    },
  };
  const sum = { file: 'x.ts', line: 'const b = a +', from: 'a + 2', to: 'a - 2', equivalent: false, why: '' };
  const one = { file: 'x.ts', line: 'const a = 1;', from: '1', to: '0', equivalent: false, why: '' };

  it('counts what is killed or runs too long, and lists the rest by line and change', () => {
    const result = resultOf(report, []);
    expect(result).to.deep.equal({ mutants: 5, killed: 3, survivors: [sum, one] });
    expect(scoreOf(result)).to.equal(60);
    expect(timeoutsOf(report)).to.equal(2);
  });

  it('keeps the reason of a survivor that was known, and forgets one that survives no longer', () => {
    const known = { ...one, equivalent: true, why: 'It is the same.' };
    expect(resultOf(report, [known, { ...one, line: 'gone' }]).survivors).to.deep.equal([sum, known]);
  });

  it('shows a long change from shortly before the difference', () => {
    const long = `f(${'a, '.repeat(60)}b)`;
    const mutants = [
      { status: 'Survived', replacement: long.replace('b)', 'c)'), location: at(1, 1, 1 + long.length) },
    ];
    const [{ from, to } = one] = resultOf({ files: { 'x.ts': { source: long, mutants } } }, []).survivors;
    expect([from, to]).to.deep.equal(['b', 'c'].map((letter) => `…${'a, '.repeat(14).slice(2)}${letter})`));
  });

  it('is not reused for what survived, nor for a constant that ran out of time', () => {
    const { mutants = [] } = withoutSurvivors(report).files['x.ts'] ?? {};
    expect(mutants.map(({ status }) => status)).to.deep.equal(['Killed', 'Timeout']);
  });
});
