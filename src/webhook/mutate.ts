import type { AdmissionResponse, Remarks } from './admission-types.ts';
import { jsonDiff } from './json-diff.ts';
import { jsonPatch } from './json-patch.ts';

/** Admits the object changed from `before` to `after`; a plain yes when they do not differ. Neither is altered. */
export const mutate = (before: unknown, after: unknown, remarks: Remarks = {}): AdmissionResponse =>
  jsonPatch(jsonDiff(before, after), remarks);
