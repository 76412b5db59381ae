/** Every write of a CA rotation, in L1's order, in the words of `write-in-words.ts`. */
export const ROTATION_WRITES = [
  'Lease: request bound to the CA',
  'SECRET-ca: new CA',
  'target: widened',
  'Secret: new leaf',
  'Lease: announced',
  'Lease: seen served by all',
  'SECRET-ca: narrowed',
  'target: narrowed',
  'Secret: narrowed',
  'Lease: mark removed',
] as const;
