/** What a handler module imports: helpers that build its answer, and types. It loads no dependency. */
export type * from '../webhook/admission-types.ts';
export { allow, deny, jsonPatch, mutate, type Operation } from '../webhook/handler-api.ts';
