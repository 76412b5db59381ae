/** A value of JSON, of which Kubernetes objects consist. Undefined members are left out. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Comments by the JSON pointer of the value that they stand above; several lines are separated by line ends. */
export type Comments = Readonly<Record<string, string>>;

/** Beyond this, a list of words is written with one word on a line, and a text is folded. */
const MAX_CHARS = 100;

/** What YAML 1.1 or 1.2 reads as something else than a text: a number also as a time of day, in octal and so on. */
const RESERVED = /^(?:~|null|true|false|yes|no|on|off|y|n|0[xob].*|[-+.]?\d(?!\d*[a-df-z]\w*$).*|\d+[_e].*)$/i;
const PLAIN = /^[\w/$(][\w/.$()@%+=<>;!&| :'"?*^-]*$/;

const isPlain = (value: string): boolean => PLAIN.test(value) && !RESERVED.test(value) && !/: |:$| #| $/.test(value);

const scalar = (value: string | number | boolean | null): string => {
  if (typeof value !== 'string') return String(value);
  if (isPlain(value)) return value;
  // JSON's texts are those of YAML.
  if (/[^ -~]/.test(value)) return JSON.stringify(value);
  return value.includes("'") && !/["\\]/.test(value) ? `"${value}"` : `'${value.replaceAll("'", "''")}'`;
};

/** A text in a list between brackets, where commas and brackets separate. */
const isWord = (value: Json): value is string | number | boolean => {
  if (typeof value !== 'string') return typeof value === 'number' || typeof value === 'boolean';
  return !/[^ -~]|[[\]{},'"#]/.test(value);
};

const fold = (text: string, indent: string): string => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && indent.length + line.length + word.length < MAX_CHARS)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return ['>-', ...lines.map((line) => indent + line)].join('\n');
};

/** Lines of printable characters, the first of which begins with one and the last of which is not empty. */
const LITERAL = /^(?![ \n])(?=[^]*\n)(?![^]*\n\n$)[ -~\n]*$/;

const text = (value: string, indent: string): string => {
  if (LITERAL.test(value)) {
    const chomping = value.endsWith('\n') ? '|' : '|-';
    return [
      chomping,
      ...value
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => (line === '' ? '' : indent + line)),
    ].join('\n');
  }
  // Only single blanks survive folding.
  const canFold = !/ {2}|^ | $|^#/.test(value);
  return canFold && indent.length + value.length > MAX_CHARS && value.includes(' ')
    ? fold(value, indent)
    : scalar(value);
};

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const commentAt = (comments: Comments, pointer: string, indent: string): readonly string[] =>
  (comments[pointer]?.split('\n') ?? []).map((line) => `${indent}# ${line}`);

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** The lines of a value below its key, or beside it where it fits there. */
const below = (
  value: Json,
  indent: string,
  pointer: string,
  comments: Comments,
): { beside: string } | { lines: readonly string[] } => {
  if (typeof value === 'string') return { beside: text(value, `${indent}  `) };
  if (typeof value !== 'object' || value === null) return { beside: scalar(value) };
  if (isEmpty(value)) return { beside: Array.isArray(value) ? '[]' : '{}' };
  if (!Array.isArray(value)) return { lines: linesOf(value, `${indent}  `, pointer, comments) };
  const flow = value.every(isWord) ? `[${value.map(scalar).join(', ')}]` : null;
  if (flow !== null && indent.length + flow.length <= MAX_CHARS) return { beside: flow };
  return { lines: linesOf(value, `${indent}  `, pointer, comments) };
};

const linesOf = (value: Json, indent: string, pointer: string, comments: Comments): readonly string[] => {
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item, at) => {
      const path = `${pointer}/${at}`;
      const comment = commentAt(comments, path, indent);
      if (Array.isArray(item)) return [...comment, `${indent}- ${JSON.stringify(item)}`];
      if (typeof item !== 'object' || item === null || isEmpty(item)) {
        const found = below(item, indent, path, comments);
        return [...comment, `${indent}- ${'beside' in found ? found.beside : ''}`];
      }
      const [first = '', ...rest] = linesOf(item, `${indent}  `, path, comments);
      return [...comment, `${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  return Object.entries(value as Readonly<Record<string, Json | undefined>>).flatMap(([key, member]) => {
    if (member === undefined) return [];
    const path = `${pointer}/${escaped(key)}`;
    const found = below(member, indent, path, comments);
    const start = `${indent}${scalar(key)}:`;
    return [
      ...commentAt(comments, path, indent),
      ...('beside' in found ? [`${start} ${found.beside}`] : [start, ...found.lines]),
    ];
  });
};

/** Writes a list as YAML, for the place below a key. */
export const yamlList = (items: readonly Json[]): string => `${linesOf(items, '', '', {}).join('\n')}\n`;

/** Writes one document of YAML, with the comments above the values that they belong to. Ends with a line end. */
export const yamlDocument = (value: Json, comments: Comments = {}): string =>
  `${[...commentAt(comments, '', ''), ...linesOf(value, '', '', comments)].join('\n')}\n`;
