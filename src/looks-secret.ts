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
export function looksSecret(text: string): boolean {
  return signs.some((sign) => sign.test(text));
}
