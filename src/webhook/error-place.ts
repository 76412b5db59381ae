import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

const pathOf = (place: string): string => {
  const [, name = '', position = ''] = /^(.*?)((?::\d+)+)$/.exec(place) ?? [];
  return (URL.canParse(name) ? fileURLToPath(name) : name) + position;
};

/**
 * Where the stack says that an error arose: Node writes the place of most syntax errors above the message, and V8 that of
 * any other error below it. Null where that is in Node or in this program.
 */
const placeInStack = ({ stack = '' }: Error): string | null => {
  const lines = stack.split('\n');
  const [first = ''] = lines;
  if (/^(?:file:\/\/)?\/.*:\d+$/.test(first)) return pathOf(first);
  const frame = lines.find((line) => line.startsWith('    at ')) ?? '';
  const place = /(file:\/\/\/.*:\d+:\d+)\)?$/.exec(frame)?.[1];
  return place === undefined ? null : pathOf(place);
};

/** Node keeps the place of a syntax error in an ES module to itself, so that the file is parsed once more. */
const placeInFile = (file: string): string | null => {
  try {
    stripTypeScriptTypes(readFileSync(file, 'utf8'), { sourceUrl: file });
    return null;
  } catch (error) {
    return error instanceof SyntaxError ? placeInStack(error) : null;
  }
};

/**
 * Says where an error in a module of the user's arose: ` (/app/handler.js:2:26)`, or nothing where that is not known.
 *
 * @param url of the module that was loaded
 */
export const placeText = (error: unknown, url: string): string => {
  if (!(error instanceof Error)) return '';
  const isFile = url.startsWith('file:');
  const place =
    placeInStack(error) ?? (error instanceof SyntaxError && isFile ? placeInFile(fileURLToPath(url)) : null);
  if (place !== null) return ` (${place})`;
  return error instanceof SyntaxError ? ' (in a module that it imports)' : '';
};
