import type { X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import { readCaPair } from '../certificates/ca-pair.ts';
import { describeCertificate, missingNames } from '../certificates/certificate-info.ts';
import { readBundle } from '../certificates/pem.ts';
import { relayedPairProblem, secretPair } from '../certificates/secret-pair.ts';
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
  readonly type: string;
  readonly values: Readonly<Record<string, Buffer>>;
  readonly managedFields: ManagedFields;
}

const schema = z.object({
  metadata: z.object({ resourceVersion: z.string().check(z.minLength(1)), managedFields: managedFieldsSchema }),
  type: z.nullish(z.string()),
  data: z.nullish(z.record(z.string(), z.string())),
});

/** Decodes a Secret. @throws ZodError when it is none */
export const secretObject = (object: unknown): SecretObject => {
  const { metadata, type, data } = schema.parse(object);
  return {
    resourceVersion: metadata.resourceVersion,
    type: type ?? '',
    managedFields: metadata.managedFields,
    values: Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  };
};

const describe = (pem: Buffer | string | undefined) => readBundle(pem ?? '').certificates.map(describeCertificate);

/**
 * Decodes the serving Secret.
 *
 * @param issuesFor the Service for which the leader issues; null where it never overwrites the Secret
 * @param relaysFor the names of a pair that is relayed, which is verified as callers do; null where nothing is relayed
 * @throws ZodError when it is no Secret
 */
export const decodeSecret = (
  object: unknown,
  issuesFor: OwnService | null = null,
  relaysFor: readonly string[] | null = null,
): SecretState => {
  const secret = secretObject(object);
  const { resourceVersion, managedFields, values } = secret;
  const pair = secretPair(values);
  const refused = relaysFor === null || pair.leaf === null ? null : relayedPairProblem(values, pair.leaf, relaysFor);
  const problem = pair.problem ?? misnamed(values) ?? refused;
  const flaw = issuesFor === null ? null : foreignLayout(secret, issuesFor);
  return {
    resourceVersion,
    ...pair,
    problem,
    foreign: flaw === null ? null : (problem ?? flaw),
    validUntil: pair.leaf === null ? '' : rfc3339Seconds(pair.leaf.notAfterMs),
    otherManager: otherFieldManager(managedFields, FIELD_MANAGER, 'f:data'),
  };
};

/**
 * Decodes SOURCE_SECRET, which another program writes.
 *
 * @throws ZodError when it is no Secret
 */
export const decodeSource = (object: unknown, relaysFor: readonly string[] | null): SecretState =>
  decodeSecret(object, null, relaysFor);

/** Why a Secret without tls.crt holds a pair under other keys, as some generators write it; null when it holds none. */
const misnamed = (values: SecretObject['values']): string | null => {
  const keys = Object.keys(values).filter((key) => (values[key]?.length ?? 0) > 0);
  if (keys.length === 0 || keys.some((key) => key === 'tls.crt' || key === 'ca.crt')) return null;
  return `it holds ${keys.slice(0, 5).join(', ')} instead of tls.crt, tls.key and ca.crt`;
};

/**
 * What tells that the Secret is another party's, which must not be overwritten; null when it may be: it is empty, or this
 * program wrote some of its values, or it has the layout of a serving Secret for this Service, as a restored backup has, or
 * the Secret of the program that issued before.
 */
const foreignLayout = (secret: SecretObject, { serviceName, namespace }: OwnService): string | null => {
  const { type, values, managedFields } = secret;
  if (isEmpty(values) || ownsField(managedFields, FIELD_MANAGER, 'f:data')) return null;
  if (type !== 'kubernetes.io/tls') return `another party wrote it, and its type is ${type || 'Opaque'}`;
  const lacking = ['tls.crt', 'tls.key', 'ca.crt'].filter((key) => (values[key]?.length ?? 0) === 0);
  if (lacking.length > 0) return `another party wrote it, and it lacks ${lacking.join(', ')}`;
  const name = `${serviceName}.${namespace}.svc`;
  const names = [`${serviceName}.${namespace}`, name, `${name}.cluster.local`];
  const [leaf] = readBundle(values['tls.crt'] ?? '').certificates;
  const isForService = leaf !== undefined && missingNames(leaf, names).length < names.length;
  return isForService ? null : `another party wrote it, and its certificate is not for ${name}`;
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
    crossSignedBy: result.ok ? crossSigners(result.certificate, values) : [],
    otherManager: otherFieldManager(managedFields, FIELD_MANAGER, 'f:data'),
    isOwn: result.ok && !ours,
    foreign: result.ok || ours ? null : unusableReason(values, result.detail),
  };
};

/** Fingerprints of the CAs in `ca-bundle.crt` that have signed the current CA, or one that signed it, in `ca-bridge.crt`. */
const crossSigners = (current: X509Certificate, values: SecretObject['values']): readonly string[] => {
  const crossSigned = readBundle(values['ca-bridge.crt'] ?? '').certificates;
  if (crossSigned.length === 0) return [];
  const others = readBundle(values['ca-bundle.crt'] ?? '').certificates;
  const found = new Set<X509Certificate>();
  const follow = (ca: X509Certificate): void => {
    const versions = crossSigned.filter(({ publicKey }) => publicKey.equals(ca.publicKey));
    for (const older of others) {
      if (found.has(older) || older.publicKey.equals(ca.publicKey)) continue;
      if (!versions.some((version) => version.checkIssued(older) && version.verify(older.publicKey))) continue;
      found.add(older);
      follow(older);
    }
  };
  follow(current);
  return [...found].map((certificate) => describeCertificate(certificate).fingerprint);
};

const isEmpty = (values: SecretObject['values']): boolean => Object.values(values).every(({ length }) => length === 0);

/**
 * Whether SECRET-ca may be overwritten: it is empty, or this program wrote its key, or it has the layout of one that this
 * program wrote and another restored, as `kubectl apply` of a backup does.
 */
const isOurs = ({ values, managedFields }: SecretObject): boolean => {
  if (isEmpty(values) || ownsField(managedFields, FIELD_MANAGER, 'f:ca.key')) return true;
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
