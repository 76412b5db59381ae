import { readFileSync } from 'node:fs';

/** A guide of docs/guides: what it tells its reader to run, and what it says that one sees. */
export interface Guide {
  /** The fenced blocks of a language below a heading, up to the next heading. */
  blocks(heading: string, language: 'sh' | 'text' | 'yaml'): readonly string[];
  /** The log lines of the text blocks below a heading; what `…` stands for is left out. */
  lines(heading: string): readonly (readonly Readonly<Record<string, unknown>>[])[];
}

const FENCE = /^```(\w+)\n([^]*?)^```$/gm;

/** @param name of the file, without its ending */
export const readGuide = (name: string): Guide => {
  const text = readFileSync(new URL(`../../docs/guides/${name}.md`, import.meta.url), 'utf8');
  const blocks: Guide['blocks'] = (heading, language) => {
    // A single # begins a comment of the shell, too.
    const section = text.split(/^#{2,} /m).find((part) => part.startsWith(`${heading}\n`));
    if (section === undefined) throw new Error(`${name}.md has no heading "${heading}"`);
    return [...section.matchAll(FENCE)].filter(([, found]) => found === language).map(([, , block = '']) => block);
  };
  return {
    blocks,
    lines: (heading) =>
      blocks(heading, 'text').map((block) =>
        block
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line.replace(/,…}$/, '}')) as Record<string, unknown>),
      ),
  };
};
