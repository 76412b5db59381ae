const longestChars = 600;

const pem = /-----BEGIN [^-]*-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
const authorization = /\b(bearer|basic)\s+[^\s"',]+/gi;
// `token: …`, `"clientKeyData":"…"`, `password=…`: what a plugin prints when it fails is its own affair.
const named = /((?:token|password|passwd|secret|key-?data)["']?\s*[:=]\s*["']?)[^\s"',}]+/gi;
const opaque = /[A-Za-z0-9+/=_.-]{32,}/g;

/** Kubernetes names are lower-case, kinds carry no digits: what mixes all three is a token, a key or an encoded blob. */
function looksSecret(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run);
}

/**
 * Makes text from outside fit for a message: no PEM, no bearer, no blob, bounded, on one line.
 * The API server quotes the bytes around a decoding error, which may be those of a Secret.
 *
 * @param secret A credential that was sent along and must not come back.
 */
export function redact(text: string, secret: string | null = null): string {
  // Cut generously first, since the patterns need not run over megabytes; cut again once clean.
  let clean = text.slice(0, longestChars * 10);
  if (secret !== null && secret !== '') clean = clean.replaceAll(secret, '[redacted]');
  clean = clean
    .replace(pem, '[redacted]')
    .replace(authorization, '$1 [redacted]')
    .replace(named, '$1[redacted]')
    .replace(opaque, (run) => (looksSecret(run) ? '[redacted]' : run))
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length > longestChars ? `${clean.slice(0, longestChars)}…` : clean;
}
