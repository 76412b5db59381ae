import type { Json } from './kube-object.ts';
import type { ResourceRequest } from './route.ts';

/** A request that may change something, with its body read. */
export interface WriteRequest extends ResourceRequest {
  readonly body: Json | undefined;
  /** Of a PATCH. */
  readonly contentType: string;
  /** The field manager: the query's, else the User-Agent up to its first slash. */
  readonly manager: string;
  readonly isDryRun: boolean;
}
