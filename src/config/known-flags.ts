import { commands, type CommandName } from './commands.ts';
import type { OwnFlag } from './own-flag.ts';
import type { Schema } from './parsed.ts';
import { settings } from './settings.ts';

export interface KnownFlag {
  /** What it means without a value; null when it needs one. */
  readonly bare: string | null;
  readonly kind: 'switch' | 'variable' | 'own';
  /** The commands that take it. */
  readonly owners: readonly CommandName[];
  /** Null for a switch. */
  readonly schema: Schema<unknown> | null;
}

const names = Object.keys(commands) as readonly CommandName[];

function* all(): Generator<readonly [string, KnownFlag]> {
  for (const flag of ['help', 'h', 'version'])
    yield [flag, { bare: 'true', kind: 'switch', owners: names, schema: null }];
  for (const [, { flag, alias, bare, schema }] of settings) {
    for (const each of alias === null ? [flag] : [flag, alias])
      yield [each, { bare, kind: 'variable', owners: names, schema }];
  }
  const own = names.flatMap((name) =>
    Object.values<OwnFlag<unknown>>(commands[name].own).map((each) => ({ name, ...each })),
  );
  for (const { flag, bare, schema } of own) {
    const owners = own.filter((other) => other.flag === flag).map(({ name }) => name);
    yield [flag, { bare, kind: 'own', owners, schema }];
  }
}

/** Every flag of every command, by name without dashes. */
export const knownFlags: ReadonlyMap<string, KnownFlag> = new Map(all());
