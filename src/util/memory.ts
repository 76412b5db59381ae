import { constrainedMemory } from 'node:process';

const MIB = 1024 * 1024;
/** A cgroup without a limit reports a number near 2^63. */
const UNLIMITED_BYTES = 2 ** 50;

/**
 * Returns how many bytes the requests of a process may hold together: a quarter of the container's memory limit, since
 * a body is held as bytes, text and objects; 64 MiB where there is no limit.
 */
export const heldBytesLimit = (limitBytes: number = constrainedMemory()): number =>
  limitBytes > 0 && limitBytes < UNLIMITED_BYTES ? Math.max(8 * MIB, Math.floor(limitBytes / 4)) : 64 * MIB;
