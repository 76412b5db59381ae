import * as z from 'zod/mini';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import { readCaPair } from '../certificates/ca-pair.ts';
import { describeCertificate } from '../certificates/certificate-info.ts';
import { readBundle } from '../certificates/pem.ts';
import { secretPair } from '../certificates/secret-pair.ts';
import {
  FIELD_MANAGER,
  type ManagedFields,
  managedFieldsSchema,
  otherFieldManager,
  ownsField,
} from '../kube/managed-fields.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { type OwnService, targetObject, type TargetType } from './targets.ts';

/** A Secret with its values decoded. */
export interface SecretObject {
  readonly resourceVersion: string;
  readonly values: Readonly<Record<string, Buffer>>;
  readonly managedFields: ManagedFields;
}

const schema = z.object({
  metadata: z.object({ resourceVersion: z.string().check(z.minLength(1)), managedFields: managedFieldsSchema }),
  data: z.nullish(z.record(z.string(), z.string())),
});

/** Decodes a Secret. @throws ZodError when it is none */
export const secretObject = (object: unknown): SecretObject => {
  const { metadata, data } = schema.parse(object);
  return {
    resourceVersion: metadata.resourceVersion,
    managedFields: metadata.managedFields,
    values: Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  };
};

const describe = (pem: Buffer | string | undefined) => readBundle(pem ?? '').certificates.map(describeCertificate);

/** Decodes the serving Secret. @throws ZodError when it is no Secret */
export const decodeSecret = (object: unknown): SecretState => {
  const { resourceVersion, managedFields, values } = secretObject(object);
  const pair = secretPair(values);
  return {
    resourceVersion,
    ...pair,
    problem: pair.problem ?? misnamed(values),
    validUntil: pair.leaf === null ? '' : rfc3339Seconds(pair.leaf.notAfterMs),
    otherManager: otherFieldManager(managedFields, FIELD_MANAGER, 'f:data'),
  };
};

/** Why a Secret without tls.crt holds a pair under other keys, as some generators write it; null when it holds none. */
const misnamed = (values: SecretObject['values']): string | null => {
  const keys = Object.keys(values).filter((key) => (values[key]?.length ?? 0) > 0);
  if (keys.length === 0 || keys.some((key) => key === 'tls.crt' || key === 'ca.crt')) return null;
  return `it holds ${keys.slice(0, 5).join(', ')} instead of tls.crt, tls.key and ca.crt`;
};

/** Decodes SECRET-ca. @throws ZodError when it is no Secret */
export const decodeCa = (object: unknown): CaState => {
  const secret = secretObject(object);
  const { resourceVersion, managedFields, values } = secret;
  const result = readCaPair({
    certificatePem: values['ca.crt']?.toString('latin1') ?? '',
    keyPem: values['ca.key']?.toString('latin1') ?? '',
  });
  const ours = isOurs(secret);
  return {
    resourceVersion,
    current: result.ok ? result.facts : null,
    bundle: describe(values['ca-bundle.crt']),
    otherManager: otherFieldManager(managedFields, FIELD_MANAGER, 'f:data'),
    isOwn: result.ok && !ours,
    foreign: result.ok || ours ? null : unusableReason(values, result.detail),
  };
};

/**
 * Whether SECRET-ca may be overwritten: it is empty, or this program wrote its key, or it has the layout of one that this
 * program wrote and another restored, as `kubectl apply` of a backup does.
 */
const isOurs = ({ values, managedFields }: SecretObject): boolean => {
  const isEmpty = Object.values(values).every(({ length }) => length === 0);
  if (isEmpty || ownsField(managedFields, FIELD_MANAGER, 'f:ca.key')) return true;
  const subject = describe(values['ca.crt'])[0]?.subject ?? '';
  return values['ca-bundle.crt'] !== undefined && GENERATED_SUBJECT.test(subject);
};

/** Subject of a CA that this program generates: `SERVICE.NAMESPACE.svc CA` and eight random hex digits. */
const GENERATED_SUBJECT = /^CN=\S+\.svc CA [0-9a-f]{8}$/;

const unusableReason = (values: SecretObject['values'], detail: string): string => {
  if (values['ca.crt'] !== undefined && values['ca.key'] !== undefined) return detail;
  return `it holds ${Object.keys(values).slice(0, 5).join(', ')} instead of ca.crt and ca.key`;
};

/**
 * Decodes an object with caBundles. Fields that call another Service or a URL are left out: their caBundle belongs to
 * another program.
 *
 * @throws ZodError when it has no caBundle
 */
export const decodeTarget =
  (type: TargetType, service: OwnService) =>
  (object: unknown): TargetState => {
    const { resourceVersion, fields, otherManager } = targetObject(type, service)(object);
    return { resourceVersion, otherManager, bundles: fields.map(({ pem }) => describe(pem)) };
  };
