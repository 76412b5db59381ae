import { looksSecret } from '../looks-secret.ts';
import { visibleText } from '../visible-text.ts';

const longestChars = 80;
// Up to the last @, since a password may hold anything.
const userinfo = /^([a-z][a-z\d+.-]*:\/\/)?.*@/is;

/** A value as a message may repeat it: in quotes, on one line, shortened, its secrets masked. */
export function quoted(text: string): string {
  if (looksSecret(text)) return '"[redacted]"';
  const masked = text.replace(userinfo, '$1***@');
  const short = masked.length > longestChars ? `${masked.slice(0, longestChars - 1)}…` : masked;
  return `"${visibleText(short)}"`;
}
