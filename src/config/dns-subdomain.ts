import { parsed, type Schema } from './parsed.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * What Kubernetes takes for most object names: a subdomain of RFC 1123.
 *
 * @param longest 253 characters, fewer where something is appended to the name.
 */
export function dnsSubdomain(longest = 253): Schema<string> {
  return parsed(
    `a DNS subdomain: at most ${longest} of a-z, 0-9, - and ., each part beginning and ending with a letter or digit`,
    (text) => (text.length <= longest && subdomain.test(text) ? text : undefined),
  );
}
