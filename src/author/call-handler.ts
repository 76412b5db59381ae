import { createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Problem } from '../../streams/problem.ts';
import { jsonPatch } from '../dev-cluster/json-patch.ts';
import type { Json } from '../dev-cluster/kube-object.ts';
import { listen } from '../util/listen.ts';
import { createAdmission } from '../webhook/admission.ts';
import type { AdmissionRequest, AdmissionResponse, HandlerExport, HandlerLog } from '../webhook/admission-types.ts';
import type { Operation } from '../webhook/handler-api.ts';
import { type Route, routes } from '../webhook/load-handler.ts';
import { type Attempt, requestOf } from './review.ts';

/** What the user sees of a handler's answer. */
export interface HandlerResult {
  readonly allowed: boolean;
  /** Message and HTTP status of a denial; null otherwise. */
  readonly message: string | null;
  readonly code: number | null;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly patch: readonly Operation[];
  /** The object with the patch applied: what would be stored. Null after a denial and a delete. */
  readonly object: unknown;
}

export interface CallOptions {
  readonly route: Route;
  readonly path: string;
  readonly log: HandlerLog;
}

export const NO_LOG: HandlerLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The default timeout of a webhook configuration. */
const TIMEOUT = '10s';
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

interface Reply {
  readonly status: number;
  readonly body: string;
}

const send = (port: number, path: string, body: string): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const options = {
      host: '127.0.0.1',
      port,
      path: `${path}?timeout=${TIMEOUT}`,
      method: 'POST',
      agent: false,
      headers,
    };
    request(options, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    })
      .once('error', reject)
      .end(body);
  });

const decodePatch = (patch: string | undefined): readonly Operation[] =>
  patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as readonly Operation[]);

const applyPatch = (object: unknown, patch: readonly Operation[]): unknown => {
  try {
    return jsonPatch(object as Json, patch as unknown as Json);
  } catch {
    throw new Problem(`the API server would refuse the patch, which does not apply: ${JSON.stringify(patch)}`);
  }
};

/**
 * Sends a request to a handler through the code that answers the API server, without TLS.
 *
 * @throws Problem with the reason when the API server would get no answer that it can use
 */
export const callRoute = async (
  admission: AdmissionRequest,
  { route, path, log }: CallOptions,
): Promise<HandlerResult> => {
  const server = createServer(createAdmission({ route, maxRequestBytes: MAX_REQUEST_BYTES, log }));
  await using listening = server;
  const { port } = await listen(listening, { host: '127.0.0.1', port: 0 });
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: admission };
  const { status, body } = await send(port, path, JSON.stringify(review));
  if (status !== 200) throw new Problem(body.trim());
  const { response } = JSON.parse(body) as { readonly response: AdmissionResponse };
  const patch = decodePatch(response.patch);
  const object = admission.object ?? null;
  const after = response.allowed && object !== null ? applyPatch(object, patch) : null;
  return {
    allowed: response.allowed,
    message: response.allowed ? null : (response.status?.message ?? ''),
    code: response.allowed ? null : (response.status?.code ?? 403),
    warnings: response.warnings ?? [],
    auditAnnotations: response.auditAnnotations ?? {},
    patch,
    object: after,
  };
};

/** For tests of a handler: an attempt, and the path if the handler has several. */
export interface HandlerCall extends Attempt {
  /** Default `/`. */
  readonly path?: string;
  /** Default: nothing is logged. */
  readonly log?: HandlerLog;
}

/**
 * Calls a handler as the API server would, through the same checks as in production, and returns what the user would see.
 *
 * @throws Problem with the reason when the handler fails or its answer is unusable
 */
export const callHandler = (handler: HandlerExport<never>, call: HandlerCall): Promise<HandlerResult> =>
  callRoute(requestOf(call), {
    route: routes(handler, 'the handler'),
    path: call.path ?? '/',
    log: call.log ?? NO_LOG,
  });
