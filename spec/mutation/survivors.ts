import { readFileSync, writeFileSync } from 'node:fs';

/** A change of the source that no spec notices. It is known by its line's text and the change, not by its position. */
export interface Survivor {
  readonly file: string;
  readonly line: string;
  readonly from: string;
  readonly to: string;
  /** Whether the mutant behaves like the original in every case that can occur. */
  readonly equivalent: boolean;
  /** Why it is equivalent, or why no spec kills it. */
  readonly why: string;
}

export interface RoomResult {
  readonly mutants: number;
  readonly killed: number;
  readonly survivors: readonly Survivor[];
}

export type Results = Readonly<Record<string, RoomResult>>;

interface Position {
  readonly line: number;
  readonly column: number;
}

/** The part of Stryker's JSON report that is used here. */
export interface MutationReport {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly replacement?: string;
          readonly status: string;
          /** Whether it is run as the module is loaded, and so in a new process. */
          readonly static?: boolean;
          readonly location: { readonly start: Position; readonly end: Position };
        }[];
      }
    >
  >;
}

const FILE = new URL('survivors.json', import.meta.url);
const MAX_LENGTH = 100;

export const readResults = (): Results => JSON.parse(readFileSync(FILE, 'utf8')) as Results;
export const writeResults = (results: Results): void => writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);

const onOneLine = (code: string): string => code.replaceAll(/\s+/g, ' ').trim();
const limited = (code: string): string => (code.length <= MAX_LENGTH ? code : `${code.slice(0, MAX_LENGTH)}…`);

/** A line as the list shows it. */
export const shownLine = (line: string): string => limited(onOneLine(line));

/** Both sides of a change, each on one line of at most 100 characters, which begins shortly before they differ. */
const changeOf = (from: string, to: string): { readonly from: string; readonly to: string } => {
  const [left, right] = [onOneLine(from), onOneLine(to)];
  const differ = Array.from(left).findIndex((letter, at) => letter !== right[at]);
  const start = left.length > MAX_LENGTH && differ > 40 ? differ - 40 : 0;
  const cut = (code: string): string => `${start === 0 ? '' : '…'}${limited(code.slice(start))}`;
  return { from: cut(left), to: cut(right) };
};

const KILLED = ['Killed', 'Timeout'];
const SURVIVED = ['Survived', 'NoCoverage'];

const identity = ({ file, line, from, to }: Pick<Survivor, 'file' | 'line' | 'from' | 'to'>): string =>
  JSON.stringify([file, line, from, to]);

const cut = (source: string, start: Position, end: Position): string => {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, at) => line.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined))
    .join('\n');
};

/** The result of a room by a report; what was known of a survivor is kept, and nothing is known of a new one. */
export const resultOf = ({ files }: MutationReport, known: readonly Survivor[]): RoomResult => {
  const mutants = Object.entries(files).flatMap(([file, content]) =>
    content.mutants.map((mutant) => ({ ...mutant, file, source: content.source })),
  );
  const survived = mutants.filter(({ status }) => SURVIVED.includes(status));
  const killed = mutants.filter(({ status }) => KILLED.includes(status)).length;
  const knownBy = new Map(known.map((one) => [identity(one), one]));
  const survivors = new Map<string, Survivor>();
  for (const { file, source, replacement = '', location } of survived) {
    const one = {
      file,
      line: shownLine(source.split('\n')[location.start.line - 1] ?? ''),
      ...changeOf(cut(source, location.start, location.end), replacement),
    };
    const id = identity(one);
    survivors.set(id, knownBy.get(id) ?? { ...one, equivalent: false, why: '' });
  }
  return { mutants: killed + survived.length, killed, survivors: Array.from(survivors.values()) };
};

/**
 * The report without the mutants that survived or were left out, which are then run again. So are those of constants whose
 * time ran out: on a busy machine the start of the process may have taken it.
 */
export const withoutSurvivors = (report: MutationReport): MutationReport => ({
  ...report,
  files: Object.fromEntries(
    Object.entries(report.files).map(([file, content]) => [
      file,
      {
        ...content,
        mutants: content.mutants.filter(
          (mutant) => mutant.status === 'Killed' || (mutant.status === 'Timeout' && mutant.static !== true),
        ),
      },
    ]),
  ),
});

/** How many mutants of a report ran out of time; they count as killed. */
export const timeoutsOf = ({ files }: MutationReport): number =>
  Object.values(files).flatMap(({ mutants }) => mutants.filter(({ status }) => status === 'Timeout')).length;

/** In percent. */
export const scoreOf = ({ mutants, killed }: RoomResult): number => (100 * killed) / mutants;

/** Those in the first list that are not in the second. */
export const missingFrom = (left: readonly Survivor[], right: readonly Survivor[]): readonly Survivor[] => {
  const known = new Set(right.map(identity));
  return left.filter((one) => !known.has(identity(one)));
};
