import type { AdmissionResponse, Remarks } from './admission-types.ts';

/** One step of a JSON Patch, RFC 6902. Paths are JSON Pointers: `/metadata/labels/app.kubernetes.io~1name`. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** Admits the object with these changes; none at all is a plain yes. */
export const jsonPatch = (operations: readonly Operation[], remarks: Remarks = {}): AdmissionResponse =>
  operations.length === 0
    ? { allowed: true, ...remarks }
    : {
        allowed: true,
        patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
        patchType: 'JSONPatch',
        ...remarks,
      };
