import { looksSecret } from '../looks-secret.ts';

/** The text, or `[redacted]` when any part of it looks like a key, a certificate or a token. */
export function withoutSecret(text: string): string {
  return looksSecret(text) ? '[redacted]' : text;
}
