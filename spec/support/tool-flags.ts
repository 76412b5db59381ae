import { parseArgs } from 'node:util';

export interface ToolFlag {
  readonly standard: string;
  /** What is accepted, as the message says it: `a whole number from 1`. */
  readonly accepts: string;
  readonly isGood: (text: string) => boolean;
  readonly help: string;
}

export const wholeNumber = (standard: number, least: number, most: number, help: string): ToolFlag => ({
  standard: String(standard),
  accepts: `a whole number from ${least} to ${most}`,
  isGood: (text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most,
  help,
});

interface Asked<F extends string, S extends string> {
  readonly asked: Readonly<Record<F, string>>;
  readonly switched: Readonly<Record<S, boolean>>;
  readonly json: boolean;
}

/** What the command line says, or the exit code to leave with after `text` has been said. */
export type ToolFlags<F extends string, S extends string = never> =
  Asked<F, S> | { readonly exitCode: 0 | 2; readonly text: string };

/**
 * Reads the flags of a tool that takes `--name value`: `--help` explains them, a bad one is told with what is accepted.
 *
 * @param switches flags without a value, each with its help; `--json` is one of every tool
 */
export const toolFlags = <F extends string, S extends string = never>(
  args: readonly string[],
  about: string,
  flags: Readonly<Record<F, ToolFlag>>,
  switches?: Readonly<Record<S, string>>,
): ToolFlags<F, S> => {
  const known = Object.entries<ToolFlag>(flags);
  const switchable = Object.entries<string>(switches ?? {});
  const lines = [
    ...known.map(([name, { standard, help }]) => `  --${name}  ${help} (default: ${standard || 'none'})`),
    ...switchable.map(([name, help]) => `  --${name}  ${help}`),
  ];
  const help = [about, '', 'Flags:', ...lines, '  --help  this text'].join('\n');
  const options = Object.fromEntries<{ type: 'string' | 'boolean' }>([
    ...known.map(([name]) => [name, { type: 'string' }] as const),
    ...switchable.map(([name]) => [name, { type: 'boolean' }] as const),
  ]);
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } },
    });
    if (values.help === true) return { exitCode: 0, text: help };
    const given: Readonly<Record<string, string | boolean | undefined>> = values;
    const asked = known.map(([name, { standard, accepts, isGood }]) => {
      const value = given[name];
      const text = typeof value === 'string' ? value : standard;
      if (!isGood(text)) throw new Error(`--${name}=${JSON.stringify(text)}: expected ${accepts}`);
      return [name, text];
    });
    return {
      asked: Object.fromEntries(asked) as Record<F, string>,
      switched: Object.fromEntries(switchable.map(([name]) => [name, given[name] === true])) as Record<S, boolean>,
      json: values.json === true,
    };
  } catch (error) {
    return { exitCode: 2, text: `${error instanceof Error ? error.message : String(error)}\nTry --help.` };
  }
};

/** The flags of this process; it ends here after `--help`, or after a bad flag was told on stderr. */
export const ownFlags = <F extends string, S extends string = never>(
  about: string,
  flags: Readonly<Record<F, ToolFlag>>,
  switches?: Readonly<Record<S, string>>,
): Asked<F, S> => {
  const read = toolFlags(process.argv.slice(2), about, flags, switches);
  if (!('text' in read)) return read;
  process[read.exitCode === 0 ? 'stdout' : 'stderr'].write(`${read.text}\n`);
  process.exit(read.exitCode);
};
