import * as failures from './failures.ts';
import type { Json, JsonObject } from './kube-object.ts';

const META = { group: 'meta.k8s.io', version: 'v1' } as const;
const PARTIAL = { kind: 'PartialObjectMetadata', apiVersion: `${META.group}/${META.version}` } as const;

/** What a client wants to see of objects: all, or only the metadata of one object or of the items of a list. */
export type Representation = 'whole' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

const TYPES = new Set(['application/json', 'application/*', '*/*']);

/** What one clause of an Accept header asks for; null where this server has no such representation. */
const clauseOf = (clause: string): Representation | null => {
  const [mediaType = '', ...rest] = clause.split(';').map((part) => part.trim());
  if (!TYPES.has(mediaType)) return null;
  const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string | undefined]));
  const as = parameters.get('as');
  if (as === undefined) return 'whole';
  if (parameters.get('g') !== META.group || parameters.get('v') !== META.version) return null;
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? as : null;
};

/** The first representation of an Accept header that this server has. @throws ApiFailure 406 */
export const acceptedRepresentation = (accept: string | undefined): Representation => {
  const wanted = (accept ?? '*/*').split(',').flatMap((clause) => clauseOf(clause) ?? []);
  if (wanted[0] === undefined) throw failures.notAcceptable();
  return wanted[0];
};

const partialOf = ({ metadata }: JsonObject): JsonObject => ({ ...PARTIAL, metadata });

/**
 * An object or a list in this representation; a Status stays what it is.
 *
 * @throws ApiFailure 406 for a list as an object, and the other way round
 */
export const represented = (representation: Representation, body: JsonObject): JsonObject => {
  if (representation === 'whole' || body['kind'] === 'Status') return body;
  const items = body['items'] as readonly JsonObject[] | undefined;
  if ((items !== undefined) !== (representation === 'PartialObjectMetadataList'))
    throw failures.otherRepresentation(representation, items === undefined ? 'not a list' : 'a list');
  if (items === undefined) return partialOf(body);
  // kube-apiserver says null for none here, and [] in a whole list.
  const partial: Json = items.length === 0 ? null : items.map(partialOf);
  return { kind: representation, apiVersion: PARTIAL.apiVersion, metadata: body['metadata'], items: partial };
};
