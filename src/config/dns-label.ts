import { parsed, type Schema } from './parsed.ts';

/** What Kubernetes takes for a namespace and a Service: a label of RFC 1123. */
export const dnsLabel: Schema<string> = parsed(
  'a DNS label: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit',
  (text) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined),
);
