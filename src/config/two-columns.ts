import { wrap } from './wrap.ts';

const indent = '  ';
/** Below this many characters beside it, an explanation goes under its name instead. */
const leastBeside = 40;

/** A name and what it means, the meanings all beginning in one column. */
export function twoColumns(rows: readonly (readonly [string, string])[], columns: number): readonly string[] {
  const nameChars = Math.max(...rows.map(([name]) => name.length));
  const beside = columns - indent.length * 2 - nameChars;
  if (beside < leastBeside) {
    const under = indent.repeat(3);
    return rows.flatMap(([name, meaning]) => [
      indent + name,
      ...wrap(meaning, columns - under.length).map((line) => under + line),
    ]);
  }
  return rows.flatMap(([name, meaning]) =>
    wrap(meaning, beside).map((line, index) => indent + (index === 0 ? name : '').padEnd(nameChars) + indent + line),
  );
}
