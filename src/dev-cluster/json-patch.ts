import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import * as failures from './failures.ts';
import type { Json } from './kube-object.ts';

const operations = z.array(
  z.object({ op: z.string(), path: z.string(), from: z.string().optional(), value: z.json().optional() }),
  'json: cannot unmarshal object into Go value of type jsonpatch.Patch',
);

type Container = Json[] | Record<string, Json>;

const asContainer = (value: Json | undefined): Container | null =>
  typeof value === 'object' && value !== null ? (value as Container) : null;

const segments = (path: string) =>
  path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));

const valueIn = (container: Container, key: string): Json | undefined =>
  Array.isArray(container) ? container[Number(key)] : container[key];

const containerAt = (document: Json, path: readonly string[]): Container => {
  const found = path.reduce<Container | null>(
    (container, key) => container && asContainer(valueIn(container, key)),
    asContainer(document),
  );
  if (found === null) throw failures.patchRejected();
  return found;
};

const insert = (container: Container, key: string, value: Json) => {
  if (!Array.isArray(container)) {
    container[key] = value;
    return;
  }
  const index = key === '-' ? container.length : Number(key);
  if (!Number.isInteger(index) || index < 0 || index > container.length) throw failures.patchRejected();
  container.splice(index, 0, value);
};

const apply = (document: Json, op: string, path: string, value: Json): void => {
  const steps = segments(path);
  const key = steps.pop();
  if (key === undefined) throw failures.patchRejected();
  const container = containerAt(document, steps);
  const current = valueIn(container, key);
  const isThere = current !== undefined;
  if (op === 'test' ? !isDeepStrictEqual(current ?? null, value) : op !== 'add' && !isThere)
    throw failures.patchRejected();
  if (op === 'test') return;
  if (op === 'add') insert(container, key, value);
  else if (op === 'replace') Object.assign(container, { [key]: value });
  else if (op === 'remove' && Array.isArray(container)) container.splice(Number(key), 1);
  else if (op === 'remove') Reflect.deleteProperty(container, key);
  else throw failures.patchRejected();
};

/** `move` is a `remove` and an `add`, `copy` is an `add`, of what is at `from`. */
const transfer = (document: Json, op: string, from: string, path: string): void => {
  const key = segments(from).at(-1);
  if (key === undefined) throw failures.patchRejected();
  const value = valueIn(containerAt(document, segments(from).slice(0, -1)), key);
  if (value === undefined) throw failures.patchRejected();
  if (op === 'move') apply(document, 'remove', from, null);
  apply(document, 'add', path, structuredClone(value));
};

/**
 * Applies a JSON Patch, RFC 6902. A `replace` of an absent value is rejected, as the
 * RFC demands; kube-apiserver before 1.24 added it.
 *
 * @throws ApiFailure 400 when the patch is malformed, 422 when it does not apply
 */
export const jsonPatch = (target: Json, patch: Json): Json => {
  const parsed = operations.safeParse(patch);
  if (!parsed.success) throw failures.badRequest(parsed.error.issues[0]?.message ?? 'not a JSON patch');
  const document = structuredClone(target);
  for (const { op, path, from, value } of parsed.data) {
    if (op === 'move' || op === 'copy') transfer(document, op, from ?? '', path);
    else apply(document, op, path, structuredClone(value ?? null));
  }
  return document;
};
