/** The text in lines of at most so many characters, broken at blanks; a longer word is broken after a slash, or anywhere. */
export function wrap(text: string, chars: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length <= chars) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > chars) {
      const slash = line.lastIndexOf('/', chars - 1);
      const end = slash > 0 ? slash + 1 : chars;
      lines.push(line.slice(0, end));
      line = line.slice(end);
    }
  }
  return [...lines, line];
}
