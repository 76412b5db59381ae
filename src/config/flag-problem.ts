import * as z from 'zod/mini';
import type { CommandName } from './commands.ts';
import { knownFlags } from './known-flags.ts';
import type { GivenFlag } from './read-arguments.ts';
import { unknownFlag } from './unknown-flag.ts';

/** What is wrong with a flag as it was written, whatever its value means; null when nothing is. */
export function flagProblem({ flag, value }: GivenFlag, command: CommandName): string | null {
  const known = knownFlags.get(flag);
  if (known === undefined) return unknownFlag(flag, [...knownFlags.keys()]);
  if (!known.owners.includes(command)) return `--${flag}: a flag of ${known.owners.join(' and ')}, not of ${command}`;
  if (value !== null || known.schema === null) return null;
  const accepts = z.safeParse(known.schema, '').error?.issues[0]?.message;
  return `--${flag} without a value: expected ${accepts ?? 'one'}`;
}
