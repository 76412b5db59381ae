import { setTimeout as delay } from 'node:timers/promises';
import type { LeaseLook } from './evidence.ts';
import type { SecretLook } from './look-at-secret.ts';
import type { Look } from './look.ts';

export interface SettledReads {
  readonly lease: Look<LeaseLook>;
  readonly secret: Look<SecretLook>;
}

/** A leader writes the Secret and announces it right after: whoever looks in between sees nothing wrong. */
const PAUSE_MS = 700;
const MOST_LOOKS = 3;

const agree = ({ lease, secret }: SettledReads): boolean =>
  lease.state !== 'there' || secret.state !== 'there' || lease.value.announcement?.hash === secret.value.hash;

/** Reads Lease and Secret, again for two seconds while the one does not announce the other. */
export const readSettled = async (
  readLease: () => Promise<Look<LeaseLook>>,
  readSecret: () => Promise<Look<SecretLook>>,
): Promise<SettledReads> => {
  for (let looks = 1; ; looks += 1) {
    const [secret, lease] = await Promise.all([readSecret(), readLease()]);
    const reads = { lease, secret };
    if (agree(reads) || looks === MOST_LOOKS) return reads;
    await delay(PAUSE_MS);
  }
};
