import { parsed, type Schema } from './parsed.ts';

const unitBytes = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const largestBytes = unitBytes.GiB;

/** `7MiB`, `512KiB` or plain bytes. At most 1 GiB, since a request is held whole in memory. */
export const byteSize: Schema<number> = parsed('a size from 1 to 1GiB, like 7MiB, 512KiB or plain bytes', (text) => {
  const parts = /^(?<count>\d+)(?<unit>KiB|MiB|GiB)?$/.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const unit = parts['unit'] as keyof typeof unitBytes | undefined;
  const bytes = Number(parts['count']) * (unit === undefined ? 1 : unitBytes[unit]);
  return bytes >= 1 && bytes <= largestBytes ? bytes : undefined;
});
