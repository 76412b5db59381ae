import type { Observation } from '../../streams/observe-cluster.ts';
import { rotationStages } from './rotation-stages.ts';
import type { RotationStage, RotationTerms } from './rotation-stages.ts';
import type { RotationStart } from './rotation-start.ts';

/** How far a rotation has been told, and whether it has ended. */
export interface RotationReport {
  /** Keys of what has been told. */
  readonly told: ReadonlySet<string>;
  /** Lines that were not told before. */
  readonly fresh: readonly string[];
  /** Null while it goes on. */
  readonly exitCode: 0 | 1 | null;
}

export const initialReport: RotationReport = { told: new Set(), fresh: [], exitCode: null };

/** A step is told once when it is reached; before that, once for each thing there is to say. */
const keyOf = ({ key, reached, line }: RotationStage): string => (reached ? key : `${key} ${line ?? ''}`);

const DROPPED =
  'the request is gone and nothing was rotated: is CERT_ISSUER external there, or did somebody remove it?';

/**
 * Tells the steps reached, in their order and each once. Watches come in any order, so a later step that is seen first
 * waits for the earlier ones.
 *
 * @param seen no older than the request
 */
export const nextReport = (
  { told }: RotationReport,
  start: RotationStart,
  seen: Observation,
  terms: RotationTerms,
): RotationReport => {
  const { rotate, announcement } = seen.lease;
  if (rotate === null && (announcement?.hash ?? null) === start.hash) return { told, fresh: [DROPPED], exitCode: 1 };

  const stages = rotationStages(start, seen, terms);
  const unreached = stages.findIndex(({ reached }) => !reached);
  const shown = unreached === -1 ? stages : stages.slice(0, unreached + 1);
  const fresh = shown.filter((stage) => stage.line !== null && !told.has(keyOf(stage)));
  const next = new Set([...told, ...fresh.map(keyOf)]);
  return { told: next, fresh: fresh.flatMap(({ line }) => line ?? []), exitCode: unreached === -1 ? 0 : null };
};
