import * as z from 'zod/mini';
import type { Replica } from '../../streams/model.ts';

const schema = z.object({
  metadata: z.object({
    name: z.string(),
    annotations: z.nullish(z.record(z.string(), z.string())),
    deletionTimestamp: z.nullish(z.string()),
  }),
  status: z.nullish(
    z.object({
      phase: z.nullish(z.string()),
      conditions: z.nullish(z.array(z.object({ type: z.string(), status: z.string() }))),
    }),
  ),
});

const FINISHED = new Set(['Succeeded', 'Failed']);

/**
 * A Pod as a replica. Its deletionTimestamp is the moment by which it will have been killed, grace included; until then
 * it may still answer calls. One that no node has been found for has read nothing yet, and will read what is true then.
 */
export const podObject =
  (annotationPrefix: string) =>
  (object: unknown): Replica => {
    const { metadata, status } = schema.parse(object);
    const is = (condition: string, value: string): boolean =>
      status?.conditions?.some(({ type, status: said }) => type === condition && said === value) ?? false;
    const deletedMs = metadata.deletionTimestamp == null ? null : Date.parse(metadata.deletionTimestamp);
    return {
      name: metadata.name,
      servingHash: metadata.annotations?.[`${annotationPrefix}/serving-hash`] ?? null,
      ready: is('Ready', 'True'),
      goneAtMs: FINISHED.has(status?.phase ?? '') || is('PodScheduled', 'False') ? 0 : deletedMs,
    };
  };
