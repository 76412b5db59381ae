import * as z from 'zod';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { announcementOf } from './announcement-of.ts';
import { rfc3339 } from './rfc3339.ts';
import { understand } from './understand.ts';

/**
 * For a Lease that names no duration, as kubectl would create one. client-go reads it as 0, expired at once; erring on
 * the long side is what keeps two replicas from leading. 15 s is the default of Kubernetes' own components.
 */
const defaultDurationSeconds = 15;

const specSchema = z.object({
  holderIdentity: z.string().nullable().catch(null),
  leaseDurationSeconds: z.number().int().positive().catch(defaultDurationSeconds),
  renewTime: z.string().nullable().catch(null),
  leaseTransitions: z.number().int().nonnegative().catch(0),
});
const emptySpec = specSchema.parse({});

const leaseShape = z.object({
  // Absent from the items of a list.
  kind: z.literal('Lease').optional(),
  metadata: z.object({
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
    annotations: z.record(z.string(), z.unknown()).catch({}),
  }),
  spec: specSchema.catch(emptySpec),
});

/** Longer than anything asked for here (`ca/` and a SHA-256); an annotation may be 256 KiB of anything. */
const longestRotate = 128;

export interface LeaseSchema {
  parse(object: unknown): LeaseSnapshot;
}

/**
 * Reads a Lease. Garbage in its annotations or its spec never throws; a `KubeProblem` says that it is not a Lease at all.
 *
 * @param annotationPrefix Without the slash: `kubetemplater.io`.
 */
export function leaseSchema(annotationPrefix: string): LeaseSchema {
  function snapshotOf({ metadata, spec }: z.infer<typeof leaseShape>): LeaseSnapshot {
    const texts = Object.entries(metadata.annotations).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    const annotations = new Map(texts);
    const servedSince = annotations.get(`${annotationPrefix}/cert-served-since`);
    return {
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      holder: spec.holderIdentity === '' ? null : spec.holderIdentity,
      durationMs: spec.leaseDurationSeconds * 1000,
      renewTime: spec.renewTime,
      transitions: spec.leaseTransitions,
      ...announcementOf(annotations, annotationPrefix),
      rotate: annotations.get(`${annotationPrefix}/rotate`)?.slice(0, longestRotate) ?? null,
      servedSinceMs: servedSince === undefined ? null : rfc3339(servedSince),
    };
  }

  return { parse: (object) => snapshotOf(understand('the Lease', () => leaseShape.parse(object))) };
}
