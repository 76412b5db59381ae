const signs: readonly RegExp[] = [
  /-----BEGIN/,
  // The same four dashes as a Secret's data carries them, in base64.
  /LS0tLS1CRUdJTi/,
  // A JSON Web Token: `{"` in base64url, then a second part.
  /\beyJ[\w-]{6,}\.[\w-]{6,}/,
  // Twenty characters keep "bearer authentication required" readable.
  /\b(?:bearer|basic)\s+[\w.~+/-]{20,}/i,
];

/** Whether a text carries PEM, a token or an Authorization header, and so must not be repeated anywhere. */
export function looksSecret(text: string): boolean {
  return signs.some((sign) => sign.test(text));
}
