import type { Evidence } from './evidence.ts';

/** The hash on the Lease, null when there is none that can be used. */
export const announcedHash = ({ lease }: Pick<Evidence, 'lease'>): string | null =>
  lease.state === 'there' ? (lease.value.announcement?.hash ?? null) : null;
