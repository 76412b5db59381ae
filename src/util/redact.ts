const SECRET_PATTERNS: readonly RegExp[] = [
  /-----BEGIN/,
  // The same dashes in base64, as in the data of a Secret, at each of the three alignments.
  /LS0tLS1CRUdJT|tLS0tQkVHSU|LS0tLUJFR0lO/,
  // Private keys without PEM lines, whose lengths take one byte or more. PKCS#8 of RSA, of the NIST curves and of Ed25519.
  /MII.{2}[QgAw]IBADANBgkqhkiG9w0BAQEFAAS|M[GHI]{2}.AgEAMB[AM]GByqGSM49|M..CAQAwE[Aw]YHKoZIzj0|M..CAQ[AE]wBQYDK2VwBCIE/,
  // PKCS#1, and SEC1 of the NIST curves.
  /MII.{2}[QgAw]IBAAKCA|M..CAQEEI|M[GHI]{2}.AgEBB[DE]/,
  // A JSON Web Token: `{"` in base64url, then a second part; then the same encoded in base64 again.
  /\beyJ[\w-]{6,}\.[\w-]{6,}/,
  /ZXlKaGJHY2/,
  // Twenty characters keep "bearer authentication required" readable.
  /\b(?:bearer|basic)\s+[\w.~+/-]{20,}/i,
];

/**
 * Whether a text contains PEM, a private key, a token or an Authorization header, as it is or in base64, and therefore
 * must not appear in any output. Patterns cannot recognise a short token that looks like a word.
 */
export const looksSecret = (text: string): boolean => SECRET_PATTERNS.some((pattern) => pattern.test(text));

// Characters that a terminal interprets instead of displaying.
const CONTROL_CHARACTERS = /["\\\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (char: string): string =>
  char < ' ' || char === '"' || char === '\\'
    ? JSON.stringify(char).slice(1, -1)
    : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with quotes, line ends and terminal control characters written as JSON escapes. */
export const visibleText = (text: string): string => text.replace(CONTROL_CHARACTERS, escaped);

/** The text, or `[redacted]` when any part of it looks like a key, a certificate or a token. */
export const withoutSecret = (text: string): string => (looksSecret(text) ? '[redacted]' : text);

const MAX_CHARS = 80;
// Up to the last @, since a password may contain any character.
const USERINFO = /^([a-z][a-z\d+.-]*:\/\/)?.*@/is;

/** A value for use in a message: in quotes, on one line, shortened, secrets masked. */
export const quoted = (text: string): string => {
  if (looksSecret(text)) return '"[redacted]"';
  const masked = text.replace(USERINFO, '$1***@');
  const short = masked.length > MAX_CHARS ? `${masked.slice(0, MAX_CHARS - 1)}…` : masked;
  return `"${visibleText(short)}"`;
};
