import { isDeepStrictEqual } from 'node:util';
import type { AdmissionResponse, Remarks } from './admission-types.ts';

export type * from './admission-types.ts';

/** Admits the object as it is, with warnings and audit annotations if there are any. */
export const allow = (remarks: Remarks = {}): AdmissionResponse => ({ allowed: true, ...remarks });

/** Refuses, and says why to the person who asked. `code` is the HTTP status they get, 400 to 599. */
export const deny = (message: string, code = 403, remarks: Remarks = {}): AdmissionResponse => ({
  allowed: false,
  status: { message, code },
  ...remarks,
});

/** Admits the object changed from `before` to `after`; a plain yes when they do not differ. Neither is altered. */
export const mutate = (before: unknown, after: unknown, remarks: Remarks = {}): AdmissionResponse =>
  jsonPatch(jsonDiff(before, after), remarks);

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

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const pointer = (path: string, key: string | number) =>
  `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
// JSON has no undefined: a field set to it is a field that is not there.
const has = (fields: Fields, key: string) => Object.hasOwn(fields, key) && fields[key] !== undefined;

function* inFields(before: Fields, after: Fields, path: string): Generator<Operation> {
  for (const key of Object.keys(before)) {
    if (has(before, key) && !has(after, key)) yield { op: 'remove', path: pointer(path, key) };
  }
  for (const key of Object.keys(after)) {
    if (!has(after, key)) continue;
    if (has(before, key)) yield* inValue(before[key], after[key], pointer(path, key));
    else yield { op: 'add', path: pointer(path, key), value: after[key] };
  }
}

// What both ends have in common is left alone, so that one item more or less is one operation wherever it stands.
function* inList(before: readonly unknown[], after: readonly unknown[], path: string): Generator<Operation> {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isDeepStrictEqual(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isDeepStrictEqual(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  for (let i = head; i < shorter - tail; i += 1) yield* inValue(before[i], after[i], pointer(path, i));
  for (let i = before.length - tail - 1; i >= shorter - tail; i -= 1) yield { op: 'remove', path: pointer(path, i) };
  for (let i = shorter - tail; i < after.length - tail; i += 1)
    yield { op: 'add', path: pointer(path, i), value: after[i] };
}

function* inValue(before: unknown, after: unknown, path: string): Generator<Operation> {
  if (isFields(before) && isFields(after)) yield* inFields(before, after, path);
  else if (Array.isArray(before) && Array.isArray(after)) yield* inList(before, after, path);
  else if (!isDeepStrictEqual(before, after)) yield { op: 'replace', path, value: after };
}

/** The JSON Patch (RFC 6902) that makes `after` of `before`: only what differs, as deep down as it differs. */
export const jsonDiff = (before: unknown, after: unknown): readonly Operation[] => [...inValue(before, after, '')];
