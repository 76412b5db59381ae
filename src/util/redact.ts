const signs: readonly RegExp[] = [
  /-----BEGIN/,
  // The same dashes in base64, as a Secret's data carries them, or wherever in a longer text they stand.
  /LS0tLS1CRUdJT|tLS0tQkVHSU|LS0tLUJFR0lO/,
  // Private keys without their armour: PKCS#8 of RSA, of the NIST curves and of Ed25519; PKCS#1; SEC1.
  /MII.{2}[QgAw]IBADANBgkqhkiG9w0BAQEFAAS|M[IG-H]{2}.AgEAMB[AM]GByqGSM49|MC4CAQAwBQYDK2VwBCIE/,
  /MII.{2}[QgAw]IBAAKCA|MHcCAQEEI|MIGkAgEBBD/,
  // A JSON Web Token: `{"` in base64url, then a second part; and one more time in base64.
  /\beyJ[\w-]{6,}\.[\w-]{6,}/,
  /ZXlKaGJHY2/,
  // Twenty characters keep "bearer authentication required" readable.
  /\b(?:bearer|basic)\s+[\w.~+/-]{20,}/i,
];

/**
 * Whether a text carries PEM, a private key, a token or an Authorization header, as it is or in base64, and so must not
 * be repeated anywhere. A short token that looks like a word cannot be told from one: whoever holds it must not say it.
 */
export const looksSecret = (text: string): boolean => signs.some((sign) => sign.test(text));

// What a terminal would act upon instead of showing.
const UNSEEN = /["\\\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (char: string): string =>
  char < ' ' || char === '"' || char === '\\'
    ? JSON.stringify(char).slice(1, -1)
    : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with quotes, line ends and everything a terminal obeys written as JSON escapes. */
export const visibleText = (text: string): string => text.replace(UNSEEN, escaped);

/** The text, or `[redacted]` when any part of it looks like a key, a certificate or a token. */
export const withoutSecret = (text: string): string => (looksSecret(text) ? '[redacted]' : text);

const LONGEST_CHARS = 80;
// Up to the last @, since a password may hold anything.
const USERINFO = /^([a-z][a-z\d+.-]*:\/\/)?.*@/is;

/** A value as a message may repeat it: in quotes, on one line, shortened, its secrets masked. */
export const quoted = (text: string): string => {
  if (looksSecret(text)) return '"[redacted]"';
  const masked = text.replace(USERINFO, '$1***@');
  const short = masked.length > LONGEST_CHARS ? `${masked.slice(0, LONGEST_CHARS - 1)}…` : masked;
  return `"${visibleText(short)}"`;
};
