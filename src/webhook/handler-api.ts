import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../../streams/problem.ts';
import type { AdmissionResponse, Remarks } from './admission-types.ts';

export type * from './admission-types.ts';

/** Admits the object unchanged, with warnings and audit annotations if given. */
export const allow = (remarks: Remarks = {}): AdmissionResponse => ({ allowed: true, ...remarks });

/** Denies the request with a message for the user. `code` is the HTTP status they get, 400 to 599. */
export const deny = (message: string, code = 403, remarks: Remarks = {}): AdmissionResponse => ({
  allowed: false,
  status: { message, code },
  ...remarks,
});

/**
 * Admits the object changed from `before` to `after`, without a patch where they do not differ. Neither is altered.
 * `request.object` as `before` means the object as the API server sent it, also after a handler has edited it in place.
 */
export const mutate = (before: unknown, after: unknown, remarks: Remarks = {}): AdmissionResponse =>
  jsonPatch(jsonDiff(originalOf(before), after), remarks);

/** One step of a JSON Patch, RFC 6902. Paths are JSON Pointers: `/metadata/labels/app.kubernetes.io~1name`. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** Admits the object with these changes; without a patch where there are none. */
export const jsonPatch = (operations: readonly Operation[], remarks: Remarks = {}): AdmissionResponse =>
  operations.length === 0
    ? { allowed: true, ...remarks }
    : { allowed: true, patch: encodePatch(operations), patchType: 'JSONPatch', ...remarks };

/**
 * Encodes operations as the API server expects them. A bigint is written with all its digits.
 *
 * @throws Problem naming the place of a number that JavaScript may have changed when it read the object
 */
export const encodePatch = (operations: readonly Operation[]): string => {
  const exact = operations.map((operation: unknown) =>
    isFields(operation) && 'value' in operation
      ? { ...operation, value: exactNumbers(operation['value'], String(operation['path'])) }
      : operation,
  );
  return Buffer.from(JSON.stringify(exact)).toString('base64');
};

/** In the language since Node 22, not yet in TypeScript's library. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** From here up a number that is no 64-bit integer is a float64 to the API server too, and so read exactly. */
const INT64_END = 2 ** 63;

const exactNumber = (value: number, path: string): unknown => {
  if (Object.is(value, -0)) return rawJSON('-0.0');
  const size = Math.abs(value);
  if (size <= Number.MAX_SAFE_INTEGER || (size > INT64_END && size < Infinity)) return value;
  throw new Problem(
    `the patch would write ${value} to ${path}, and JavaScript cannot hold that number exactly: leave its part of the object in place, or write it as a bigint`,
  );
};

/** Returns the value to stringify: the same one, unless a part of it needs other digits than `JSON.stringify` writes. */
const exactNumbers = (value: unknown, path: string): unknown => {
  if (typeof value === 'number') return exactNumber(value, path);
  if (typeof value === 'bigint') return rawJSON(String(value));
  if (Array.isArray(value)) {
    const items = value.map((item, index) => exactNumbers(item, pointer(path, index)));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isFields(value) || typeof value['toJSON'] === 'function') return value;
  const entries = Object.entries(value).map(([key, field]) => [key, exactNumbers(field, pointer(path, key))] as const);
  // fromEntries defines fields and does not assign them, so `__proto__` is kept.
  return entries.some(([key, field]) => field !== value[key]) ? Object.fromEntries(entries) : value;
};

type Originals = Map<object, () => unknown>;

const ORIGINALS = Symbol.for('webhook-certd.originals');

// In one place per process: a handler module may import its own copy of this file, apart from the bundled daemon's. Not a
// WeakMap, whose entries cost the garbage collector more than the two calls below.
const originals = ((globalThis as { [ORIGINALS]?: Originals | undefined })[ORIGINALS] ??= new Map<
  object,
  () => unknown
>());

/** Remembers how to read an object of a request again, as the API server sent it, until it is forgotten. */
export const rememberOriginal = (object: object, read: () => unknown): void => void originals.set(object, read);
export const forgetOriginal = (object: object): void => void originals.delete(object);

const originalOf = (value: unknown): unknown => {
  const read = originals.get(value as object);
  return read === undefined ? value : read();
};

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const pointer = (path: string, key: string | number) =>
  `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
// JSON has no undefined: a field set to it is absent.
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

// Common items at both ends are left alone, so that one item more or less is one operation at any position.
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

/** Computes the JSON Patch (RFC 6902) that turns `before` into `after`: only what differs, as deep down as it differs. */
export const jsonDiff = (before: unknown, after: unknown): readonly Operation[] => [...inValue(before, after, '')];
