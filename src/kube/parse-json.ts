import { Problem } from '../../streams/problem.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes to JSON; undefined when there is nothing but white space. Errors name the size only: V8's quote the text. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new Problem(`answered ${bytes.length} bytes that are not UTF-8`);
  }
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(`answered ${bytes.length} bytes that are not JSON`);
  }
}
