import { randomBytes } from 'node:crypto';

/** 16 random bytes as hex; the two top bits are 01, so that it is positive and has no leading zero in DER. */
export const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
};
