import * as z from 'zod/mini';
import type { $ZodError } from 'zod/v4/core';
import english from 'zod/v4/locales/en.js';
import type { AdmissionRequest, AdmissionResponse, KubeObject } from './admission-types.ts';
import { encodePatch, type Operation } from './handler-api.ts';

/** For `safeParse`: zod/mini has no error texts of its own. */
const inEnglish = { error: english().localeError };

/** Describes what is wrong with a value, on one line: `request.uid: Invalid input: expected string, received undefined; …`. */
export const faults = ({ issues }: $ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');

/** Number of calls after which compiling pays: it takes 10 ms, and saves 6 µs of 7 per call from then on. */
const CALLS_BEFORE_COMPILING = 200;

type Read<T> = (value: unknown) => z.core.util.SafeParseResult<T>;

/** Reads values by a schema, compiled after 200 calls. */
export const lazilyCompiled = <T>(
  schema: z.ZodMiniType<T>,
  compile: (schema: z.ZodMiniType<T>) => z.ZodMiniType<T> = z.compile,
): Read<T> => {
  let used = schema;
  let calls = 0;
  return (value) => {
    calls += 1;
    if (calls === CALLS_BEFORE_COMPILING) used = compile(schema);
    return used.safeParse(value, inEnglish);
  };
};

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is KubeObject & Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// The API server has validated the object itself: reading it again would cost more than everything else here together.
const kubeObject = z.exactOptional(z.nullable(z.custom<KubeObject>(isObject, 'expected an object')));
const kind = z.looseObject({ group: z.string(), version: z.string(), kind: z.string() });
const resource = z.looseObject({ group: z.string(), version: z.string(), resource: z.string() });
const text = z.exactOptional(z.string());

const admissionRequest = z.looseObject({
  uid: z.string().check(z.minLength(1)),
  kind,
  resource,
  subResource: text,
  requestKind: z.exactOptional(kind),
  requestResource: z.exactOptional(resource),
  requestSubResource: text,
  name: text,
  namespace: text,
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
  userInfo: z.looseObject({
    username: text,
    uid: text,
    groups: z.exactOptional(z.array(z.string())),
    extra: z.exactOptional(z.record(z.string(), z.array(z.string()))),
  }),
  object: kubeObject,
  oldObject: kubeObject,
  dryRun: z.exactOptional(z.boolean()),
  options: z.exactOptional(z.unknown()),
}) satisfies z.ZodMiniType<AdmissionRequest>;

export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1' | 'admission.k8s.io/v1beta1';
  readonly request: AdmissionRequest;
}

export const reviewSchema: z.ZodMiniType<AdmissionReview> = z.object({
  apiVersion: z.enum(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1']),
  kind: z.literal('AdmissionReview'),
  request: admissionRequest,
});

const VERSIONS: readonly unknown[] = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'];
const OPERATIONS: readonly unknown[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isExtra = (value: unknown): boolean => isObject(value) && Object.values(value).every(isTextList);
const isKind = (value: unknown): boolean =>
  isObject(value) && isText(value['group']) && isText(value['version']) && isText(value.kind);
const isResource = (value: unknown): boolean =>
  isObject(value) && isText(value['group']) && isText(value['version']) && isText(value['resource']);
const isUser = (value: unknown): boolean =>
  isObject(value) &&
  isAbsentOr(isText, value['username']) &&
  isAbsentOr(isText, value['uid']) &&
  isAbsentOr(isTextList, value['groups']) &&
  isAbsentOr(isExtra, value['extra']);
const isNullOrObject = (value: unknown): boolean => value === null || isObject(value);
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isAbsentOr = (is: (value: unknown) => boolean, value: unknown): boolean => value === undefined || is(value);

const isRequest = (value: unknown): boolean =>
  isObject(value) &&
  isText(value['uid']) &&
  value['uid'] !== '' &&
  isKind(value.kind) &&
  isResource(value['resource']) &&
  isAbsentOr(isText, value['subResource']) &&
  isAbsentOr(isKind, value['requestKind']) &&
  isAbsentOr(isResource, value['requestResource']) &&
  isAbsentOr(isText, value['requestSubResource']) &&
  isAbsentOr(isText, value['name']) &&
  isAbsentOr(isText, value['namespace']) &&
  OPERATIONS.includes(value['operation']) &&
  isUser(value['userInfo']) &&
  isAbsentOr(isNullOrObject, value['object']) &&
  isAbsentOr(isNullOrObject, value['oldObject']) &&
  isAbsentOr(isBoolean, value['dryRun']);

/**
 * Whether the schema accepts a value, decided without its copies and its error texts: they took 3 µs of each call. The
 * schema alone says what is wrong with a value; a spec compares the two.
 */
export const isReview = (value: unknown): value is AdmissionReview =>
  isObject(value) &&
  VERSIONS.includes(value.apiVersion) &&
  value.kind === 'AdmissionReview' &&
  isRequest(value['request']);

const objectFields: ReadonlySet<string> = new Set(['object', 'oldObject', 'options']);

/** Removes every null outside the objects under review. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(kept.map(([key, each]) => [key, objectFields.has(key) ? each : withoutNulls(each)]));
};

/** Reads an AdmissionReview. A null field is an absent one, as in Go; looked for only where the review is not valid as is. */
export const readReview: Read<AdmissionReview> = (value) => {
  if (isReview(value)) return { success: true, data: value };
  const lenient = withoutNulls(value);
  return isReview(lenient) ? { success: true, data: lenient } : reviewSchema.safeParse(value, inEnglish);
};

const pointer = z.string().check(z.regex(/^(?:\/(?:[^~/]|~[01])*)*$/, 'expected a JSON Pointer like /metadata/labels'));
const present = z.custom((value) => value !== undefined, 'expected a value');

const operation = z.discriminatedUnion('op', [
  z.looseObject({ op: z.enum(['add', 'replace', 'test']), path: pointer, value: present }),
  z.looseObject({ op: z.literal('remove'), path: pointer }),
  z.looseObject({ op: z.enum(['move', 'copy']), path: pointer, from: pointer }),
]) satisfies z.ZodMiniType<Operation>;

const operations = z.array(operation);

const decodedPatch = (patch: string): unknown => {
  try {
    return JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
};

const PATCH_HINT = 'expected an array of JSON Patch operations, or the base64 of one';

const patch = z.string().check(
  z.superRefine((encoded, context) => {
    const decoded = decodedPatch(encoded);
    if (!Array.isArray(decoded)) context.addIssue(PATCH_HINT);
    else
      for (const issue of operations.safeParse(decoded, inEnglish).error?.issues ?? [])
        context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message });
  }),
);

const optionalText = z.nullish(z.string());
const MAX_STATUS_CODE = 599;

/** Strict about unknown fields, which the API server ignores: a handler that writes `alowed` must learn of it here. */
const admissionResponse: z.ZodMiniType<AdmissionResponse> = z
  .strictObject({
    allowed: z.boolean(),
    status: z.optional(
      z.looseObject({
        message: optionalText,
        code: z.nullish(z.int().check(z.minimum(0), z.maximum(MAX_STATUS_CODE))),
        reason: optionalText,
      }),
    ),
    warnings: z.optional(z.array(z.string())),
    auditAnnotations: z.optional(z.record(z.string(), optionalText)),
    patch: z.optional(patch),
    patchType: z.optional(z.literal('JSONPatch')),
  })
  .check(
    z.refine((response) => (response.patch === undefined) === (response.patchType === undefined), {
      error: 'patch and patchType go together',
    }),
  ) as unknown as z.ZodMiniType<AdmissionResponse>;

const readResponseExactly = lazilyCompiled(admissionResponse);

/** Whether the API server ignores a field: the status of an admission, the patch of a denial. */
const isIgnored = (key: string, allowed: unknown): boolean =>
  allowed === true ? key === 'status' : allowed === false && (key === 'patch' || key === 'patchType');

/** Brings an answer into the form of an AdmissionResponse where the API server would understand it as one. */
const normalized = (answer: unknown, uid: string): unknown => {
  if (!isObject(answer)) return answer;
  const response: unknown = 'response' in answer && !('allowed' in answer) ? answer['response'] : answer;
  if (!isObject(response)) return response;
  const { allowed } = response;
  const kept = Object.entries(response).filter(
    ([key, value]) =>
      value !== undefined && value !== null && !isIgnored(key, allowed) && !(key === 'uid' && value === uid),
  );
  const fields: Record<string, unknown> = Object.fromEntries(kept);
  if (fields['patch'] === '') delete fields['patch'];
  if (!Array.isArray(fields['patch'])) return fields;
  return { patchType: 'JSONPatch', ...fields, patch: encodePatch(fields['patch'] as readonly Operation[]) };
};

/** Whether an answer needs no normalizing: only fields that the strict schema accepts with any meaning. */
const isPlain = (answer: unknown): answer is AdmissionResponse =>
  isObject(answer) && Object.keys(answer).length === 1 && typeof answer['allowed'] === 'boolean';

/**
 * Reads the answer of a handler: lenient where the API server is (null and undefined are absent, the status of an
 * admission is ignored, the request's own uid and a whole AdmissionReview are accepted), strict where it is (each
 * operation of a patch).
 *
 * @throws Problem when a number of the patch cannot be written exactly
 */
export const readResponse = (answer: unknown, uid: string): z.core.util.SafeParseResult<AdmissionResponse> =>
  isPlain(answer) ? { success: true, data: answer } : readResponseExactly(normalized(answer, uid));
