/** All that the author of a handler needs. */
export { allow } from './allow.ts';
export { deny } from './deny.ts';
export { jsonPatch, type Operation } from './json-patch.ts';
export { mutate } from './mutate.ts';
export type * from './admission-types.ts';
