import { parseArgs } from 'node:util';

export interface ToolFlag {
  readonly standard: string;
  /** What is accepted, as the message says it: `a whole number from 1`. */
  readonly accepts: string;
  readonly isGood: (text: string) => boolean;
  readonly help: string;
}

/** What the command line says, or the exit code to leave with after `text` has been said. */
export type ToolFlags<F extends string> =
  | { readonly asked: Readonly<Record<F, string>>; readonly json: boolean }
  | { readonly exitCode: 0 | 2; readonly text: string };

/** Reads the flags of a tool that takes `--name value`: `--help` explains them, a bad one is told with what is accepted. */
export const toolFlags = <F extends string>(
  args: readonly string[],
  about: string,
  flags: Readonly<Record<F, ToolFlag>>,
): ToolFlags<F> => {
  const known = Object.entries<ToolFlag>(flags);
  const lines = known.map(([name, { standard, help }]) => `  --${name}  ${help} (default: ${standard || 'none'})`);
  const help = [about, '', 'Flags:', ...lines, '  --help  this text'].join('\n');
  const options = Object.fromEntries(known.map(([name]) => [name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } },
    });
    if (values.help === true) return { exitCode: 0, text: help };
    const asked = known.map(([name, { standard, accepts, isGood }]) => {
      const given = values[name as keyof typeof values];
      const text = typeof given === 'string' ? given : standard;
      if (!isGood(text)) throw new Error(`--${name}=${JSON.stringify(text)}: expected ${accepts}`);
      return [name, text];
    });
    return { asked: Object.fromEntries(asked) as Record<F, string>, json: values.json === true };
  } catch (error) {
    return { exitCode: 2, text: `${error instanceof Error ? error.message : String(error)}\nTry --help.` };
  }
};
