import { type Command, commands } from './commands.ts';
import { acceptedBy } from './types.ts';
import type { Setting } from './variable.ts';
import { settings } from './variables.ts';

type Shell = (typeof commands.completion.choices)[number];

interface CompletedFlag {
  readonly flag: string;
  readonly short: string | null;
  readonly meaning: string;
  readonly takesValue: boolean;
  /** Empty when the values cannot be listed. Read only of a flag that takes one. */
  readonly values: readonly string[];
  readonly isPath: boolean;
}

interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly words: readonly string[];
  readonly flags: readonly CompletedFlag[];
}

/** The values that a schema accepts; empty when it accepts more than words. */
const wordsOf = ({ schema }: Setting<unknown>): readonly string[] => {
  const text = acceptedBy(schema);
  if (text === 'true or false') return ['true', 'false'];
  return /^one of (?<words>[\w.-]+(?:, [\w.-]+)*)(?:, or .*)?$/.exec(text)?.groups?.['words']?.split(', ') ?? [];
};

const isPath = ({ schema }: Setting<unknown>): boolean => acceptedBy(schema).startsWith('the path of');

const HELP: CompletedFlag = {
  flag: 'help',
  short: 'h',
  meaning: 'print the help text of the command',
  takesValue: false,
  values: [],
  isPath: false,
};

const flagsOf = ({ flags, variables: use }: Command): readonly CompletedFlag[] => {
  const own = Object.values(flags).map((each) => ({ ...each, takesValue: each.placeholder !== null }));
  const variables = settings.map(([, each]) => ({ ...each, short: null, takesValue: true }));
  const all = [...own, ...(use === 'none' ? [] : variables)].map((each) => ({
    ...each,
    values: wordsOf(each),
    isPath: isPath(each),
  }));
  return [...all, HELP];
};

const completed = Object.entries<Command>(commands).map(([name, command]): CompletedCommand => ({
  name,
  summary: command.summary,
  words: command.choices ?? [],
  flags: flagsOf(command),
}));

const spellings = ({ flag, short }: CompletedFlag): readonly string[] => [
  `--${flag}`,
  ...(short === null ? [] : [`-${short}`]),
];

/** As one word of any of the three shells. */
const word = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const commandPattern = completed.map(({ name }) => name).join('|');

/** The cases of a flag before the word to complete, whose value that word is. */
const valueCases = (offerWords: (words: string) => string, offerFiles: string): readonly string[] => {
  const all = new Map(completed.flatMap(({ flags }) => flags).map((flag) => [flag.flag, flag]));
  const offers = Map.groupBy(
    [...all.values()].filter(({ takesValue }) => takesValue),
    (flag) => (flag.isPath ? offerFiles : flag.values.length === 0 ? '' : offerWords(flag.values.join(' '))),
  );
  return [...offers].map(([offer, flags]) => {
    const action = offer === '' ? 'return' : `${offer}; return`;
    return `    ${flags.flatMap(spellings).join('|')}) ${action} ;;`;
  });
};

const bash = (): readonly string[] => [
  '_webhook_certd() {',
  '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= word',
  '  # Bash breaks words at the equals sign, too.',
  '  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi',
  '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
  `    case $word in ${commandPattern}) command=$word; break ;; esac`,
  '  done',
  '  case $previous in',
  ...valueCases(
    (words) => `COMPREPLY=($(compgen -W '${words}' -- "$current"))`,
    'COMPREPLY=($(compgen -f -- "$current"))',
  ),
  '  esac',
  '  case $command:$current in',
  ...completed.map(({ name, flags }) => {
    const pattern = name === 'serve' ? 'serve:-*|:-*' : `${name}:-*`;
    return `    ${pattern}) COMPREPLY=($(compgen -W '${flags.flatMap(spellings).join(' ')}' -- "$current")) ;;`;
  }),
  ...completed
    .filter(({ words }) => words.length > 0)
    .map(({ name, words }) => `    ${name}:*) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")) ;;`),
  `    :*) COMPREPLY=($(compgen -W '${completed.map(({ name }) => name).join(' ')}' -- "$current")) ;;`,
  '  esac',
  '}',
  'complete -F _webhook_certd webhook-certd',
];

/** A row of `_describe`: the colon separates name and meaning. */
const described = (name: string, meaning: string): string => word(`${name}:${meaning}`);

const zsh = (): readonly string[] => [
  '#compdef webhook-certd',
  '_webhook_certd() {',
  '  local command= each',
  '  local -a rows',
  '  for each in ${words[2,CURRENT-1]}; do',
  `    case $each in ${commandPattern}) command=$each; break ;; esac`,
  '  done',
  '  case ${words[CURRENT-1]} in',
  ...valueCases((words) => `compadd -- ${words}`, '_files'),
  '  esac',
  '  case $command:${words[CURRENT]} in',
  ...completed.map(({ name, flags }) => {
    const pattern = name === 'serve' ? '(serve|):-*' : `${name}:-*`;
    const rows = flags.flatMap((flag) => spellings(flag).map((each) => described(each, flag.meaning)));
    return `    ${pattern}) rows=(${rows.join(' ')}); _describe -o flag rows ;;`;
  }),
  ...completed
    .filter(({ words }) => words.length > 0)
    .map(({ name, words }) => `    ${name}:*) compadd -- ${words.join(' ')} ;;`),
  `    :*) rows=(${completed.map(({ name, summary }) => described(name, summary)).join(' ')}); _describe command rows ;;`,
  '  esac',
  '}',
  'compdef _webhook_certd webhook-certd',
];

const fish = (): readonly string[] => {
  const names = completed.map(({ name }) => name).join(' ');
  const none = `not __fish_seen_subcommand_from ${names}`;
  return [
    'complete -c webhook-certd -f',
    ...completed.map(
      ({ name, summary }) => `complete -c webhook-certd -n ${word(none)} -a ${name} -d ${word(summary)}`,
    ),
    ...completed.flatMap(({ name, words, flags }) => {
      const seen = `__fish_seen_subcommand_from ${name}`;
      const condition = word(name === 'serve' ? `${seen}; or ${none}` : seen);
      const ofCommand = `complete -c webhook-certd -n ${condition}`;
      return [
        ...(words.length === 0 ? [] : [`${ofCommand} -a ${word(words.join(' '))}`]),
        ...flags.map(({ flag, short, meaning, takesValue, values, isPath: file }) =>
          [
            `${ofCommand} -l ${flag}`,
            ...(short === null ? [] : [`-s ${short}`]),
            ...(takesValue ? [file ? '-r -F' : `-x -a ${word(values.join(' '))}`] : []),
            `-d ${word(meaning)}`,
          ].join(' '),
        ),
      ];
    }),
  ];
};

const scripts: Readonly<Record<Shell, () => readonly string[]>> = { bash, zsh, fish };

/** A script that completes commands, flags and the values that can be listed. Without the last line end. */
export const completionScript = (shell: Shell): string => scripts[shell]().join('\n');

export const isShell = (word: string): word is Shell => Object.hasOwn(scripts, word);
