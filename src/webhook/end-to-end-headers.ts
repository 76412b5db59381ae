/** What speaks of one connection and not of the message (RFC 9110, 7.6.1), and `Expect`, which is answered here. */
const hopByHop = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The raw header list (name, value, name, value …) without what must not be passed on. */
export const endToEndHeaders = (raw: readonly string[]): string[] => {
  const named = new Set<string>();
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'connection') continue;
    for (const name of raw[i + 1]?.split(',') ?? []) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lowerCase = name.toLowerCase();
    if (!hopByHop.has(lowerCase) && !named.has(lowerCase)) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
};
