import * as z from 'zod/mini';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { announcementOf } from './announcement-of.ts';
import { rfc3339 } from './rfc3339.ts';
import { managedFieldsSchema, rivalOf } from './rival-of.ts';
import { understand } from './understand.ts';

/**
 * For a Lease that names no duration, as kubectl would create one. client-go reads it as 0, expired at once; erring on
 * the long side is what keeps two replicas from leading. 15 s is the default of Kubernetes' own components.
 */
const defaultDurationSeconds = 15;

const specSchema = z.object({
  holderIdentity: z.catch(z.nullable(z.string()), null),
  leaseDurationSeconds: z.catch(z.int().check(z.positive()), defaultDurationSeconds),
  renewTime: z.catch(z.nullable(z.string()), null),
  leaseTransitions: z.catch(z.int().check(z.nonnegative()), 0),
});
const emptySpec = specSchema.parse({});

type Annotations = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Annotations =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const leaseShape = z.object({
  // Absent from the items of a list.
  kind: z.optional(z.literal('Lease')),
  metadata: z.object({
    uid: z.string().check(z.minLength(1)),
    resourceVersion: z.string().check(z.minLength(1)),
    annotations: z.catch(z.custom<Annotations>(isRecord), {}),
    managedFields: z.optional(z.unknown()),
  }),
  spec: z.catch(specSchema, emptySpec),
});

/** Longer than anything asked for here (`ca/` and a SHA-256); an annotation may be 256 KiB of anything. */
const longestRotate = 128;

export interface LeaseSchema {
  parse(object: unknown): LeaseSnapshot;
}

type Told = Pick<LeaseSnapshot, 'announcement' | 'malformed' | 'rotate' | 'servedSinceMs' | 'rival'>;

const toldBy = (
  [ready, hash, validUntil, rotate, servedSince]: readonly (string | undefined)[],
  rival: string | null,
): Told => ({
  ...announcementOf({ ready, hash, validUntil }),
  rotate: rotate?.slice(0, longestRotate) ?? null,
  servedSinceMs: servedSince === undefined ? null : rfc3339(servedSince),
  rival,
});

/**
 * Reads a Lease. Garbage in its annotations or its spec never throws; a `KubeProblem` says that it is not a Lease at all.
 *
 * @param annotationPrefix Without the slash: `kubetemplater.io`.
 * @param ourManager The field manager that our own writes go by.
 */
export function leaseSchema(annotationPrefix: string, ourManager: string): LeaseSchema {
  const names = ['cert-ready', 'cert-hash', 'cert-valid-until', 'rotate', 'cert-served-since'].map(
    (name) => `${annotationPrefix}/${name}`,
  );
  // A renewal, which is what nearly every event is, leaves all of them alone.
  let texts: readonly (string | undefined)[] = [];
  let told = toldBy(texts, null);

  function read(annotations: Annotations, managedFields: unknown): Told {
    const now = names.map((name) => {
      const text = annotations[name];
      return typeof text === 'string' ? text : undefined;
    });
    if (now.every((text, at) => text === texts[at])) return told;
    texts = now;
    const rival = rivalOf(managedFieldsSchema.parse(managedFields), ourManager, `f:${annotationPrefix}/cert-hash`);
    return (told = toldBy(now, rival));
  }

  function snapshotOf({ metadata, spec }: z.infer<typeof leaseShape>): LeaseSnapshot {
    return {
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      holder: spec.holderIdentity === '' ? null : spec.holderIdentity,
      durationMs: spec.leaseDurationSeconds * 1000,
      renewTime: spec.renewTime,
      transitions: spec.leaseTransitions,
      ...read(metadata.annotations, metadata.managedFields),
    };
  }

  return { parse: (object) => snapshotOf(understand('the Lease', () => leaseShape.parse(object))) };
}
