import { parsed, type Schema } from './parsed.ts';

const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const hostNames = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`);

/** A DNS name as a certificate carries it, lower-cased; its first part may be `*`. */
export const hostName: Schema<string> = parsed('a DNS name like webhook.example.com, not an address', (text) => {
  const name = text.toLowerCase();
  // Digits and dots alone would be an IPv4 address, which no client looks for among the DNS names.
  return name.length <= 253 && hostNames.test(name) && !/^[\d.]+$/.test(name) ? name : undefined;
});
