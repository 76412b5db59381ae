import { failures } from './failures.ts';
import { jsonPatch } from './json-patch.ts';
import type { Json } from './kube-object.ts';
import { mergePatch } from './merge-patch.ts';

const accepted = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const;

/** Where a strategic merge patch means the same as a merge patch: no lists in it, and no `$` directives. */
const isPlain = (patch: Json | undefined): boolean => {
  if (Array.isArray(patch)) return false;
  if (typeof patch !== 'object' || patch === null) return true;
  return Object.entries(patch).every(([key, value]) => !key.startsWith('$') && isPlain(value));
};

/** Applies the body of a PATCH by its content type. Errs with 415 for what this server cannot do. */
export const patchBody = (contentType: string, target: Json, patch: Json): Json => {
  const kind = contentType.split(';')[0]?.trim();
  if (kind === accepted[0]) return jsonPatch(target, patch);
  if (kind === accepted[1] || (kind === accepted[2] && isPlain(patch))) return mergePatch(target, patch);
  throw failures.unsupportedMediaType(accepted.slice(0, 2));
};
