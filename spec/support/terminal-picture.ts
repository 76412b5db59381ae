/** SGR codes that the reports use, as classes of the picture. */
const CLASSES: Readonly<Record<string, string>> = {
  '1': 'bold',
  '31': 'bad',
  '32': 'good',
  '33': 'warn',
  '36': 'command',
  '90': 'dim',
};
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const [CHAR_WIDTH, LINE_HEIGHT, MARGIN] = [8.43, 20, 20];
const STYLE = `
  .ground { fill: #16181d; } text { font: 14px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e7e9ee; white-space: pre; }
  .bold { font-weight: 700; } .bad { fill: #ff9b93; } .good { fill: #6fd690; } .warn { fill: #ffb35c; } .command { fill: #9db8ff; } .dim { fill: #a3abb8; }
`;

interface Span {
  readonly text: string;
  readonly code: string;
}

/** The rows that a terminal makes of a line, as coloured parts. */
const rowsOf = (line: string, columns: number): readonly (readonly Span[])[] => {
  const rows: Span[][] = [[]];
  let [code, left] = ['0', columns];
  for (const part of line.split(/(\u001b\[\d+m)/)) {
    const sgr = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (sgr !== undefined) code = sgr;
    else
      for (let text = part; text !== '';) {
        if (left === 0) {
          rows.push([]);
          left = columns;
        }
        rows.at(-1)?.push({ code, text: text.slice(0, left) });
        [text, left] = [text.slice(left), Math.max(0, left - text.length)];
      }
  }
  return rows;
};

/** Draws what a terminal shows as SVG, in which the text can be selected. */
export const terminalPicture = (
  text: string,
  { columns, title }: { readonly columns: number; readonly title: string },
) => {
  const escaped = (part: string): string => part.replace(/[&<>]/g, (character) => ESCAPES[character] ?? character);
  const lines = text.split('\n').flatMap((line) => rowsOf(line, columns));
  const width = Math.ceil(columns * CHAR_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const drawn = lines.map((spans, at) => {
    const parts = spans.map(({ code, text: part }) => `<tspan class="${CLASSES[code] ?? ''}">${escaped(part)}</tspan>`);
    return `<text x="${MARGIN}" y="${MARGIN + (at + 0.75) * LINE_HEIGHT}" xml:space="preserve">${parts.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="ground" width="100%" height="100%" rx="10"/>
${drawn.join('\n')}
</svg>
`;
};
