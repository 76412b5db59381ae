/** One flag as it was written. */
export interface GivenFlag {
  readonly flag: string;
  /** Null when it should have had one. */
  readonly value: string | null;
}

interface Arguments {
  readonly words: readonly string[];
  readonly flags: readonly GivenFlag[];
}

const isFlag = (token: string): boolean => /^-{1,2}[^-\d\s]/.test(token);

/**
 * Splits arguments into words and flags: `--flag=value`, `--flag value`, `--switch`; one dash does as well, as in Go.
 * After `--` everything is a word.
 *
 * @param bareOf What a flag means without a value; null when it needs one.
 */
export function readArguments(argv: readonly string[], bareOf: (flag: string) => string | null): Arguments {
  const words: string[] = [];
  const flags: GivenFlag[] = [];
  const rest = [...argv];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (token === '--') return { words: [...words, ...rest], flags };
    if (!isFlag(token)) {
      words.push(token);
      continue;
    }
    const { flag = '', value } = /^-+(?<flag>[^=]*)(?:=(?<value>.*))?$/s.exec(token)?.groups ?? {};
    const [next] = rest;
    const bare = bareOf(flag);
    const mayFollow =
      next !== undefined && (bare === null ? !isFlag(next) && next !== '--' : /^(true|false)$/i.test(next));
    if (value !== undefined) flags.push({ flag, value });
    else if (mayFollow) flags.push({ flag, value: rest.shift() ?? null });
    else flags.push({ flag, value: bare });
  }
  return { words, flags };
}
