import { Problem } from '../../streams/problem.ts';
import { messageOf } from '../util/errors.ts';
import type { AdmissionRequest } from '../webhook/admission-types.ts';
import type { Operation } from '../webhook/handler-api.ts';
import type { Route } from '../webhook/load-handler.ts';
import { type CallOptions, callRoute, type HandlerResult } from './call-handler.ts';

/** The answer for one object; `problem` says why the API server would get none. */
export interface Answer {
  readonly object: string;
  readonly path: string;
  readonly result: HandlerResult | null;
  readonly problem: string | null;
}

/** A path for a handler that answers all of them, as in the manifests. */
const ANY_PATH = '/validate';

/**
 * The path to call.
 *
 * @throws Problem when the handler has several paths and none of them is given
 */
export const pathOf = ({ paths }: Pick<Route, 'paths'>, given: string | null): string => {
  if (paths === undefined) return given ?? ANY_PATH;
  const [only, ...others] = paths;
  const path = given ?? (others.length === 0 ? only : undefined);
  if (path !== undefined && paths.includes(path)) return path;
  throw new Problem(`--path: expected one of the handler's paths: ${paths.join(', ')}`);
};

const titleOf = ({ kind, namespace, name, object, oldObject }: AdmissionRequest): string => {
  const metadata = (object ?? oldObject)?.metadata;
  const called = name ?? (metadata?.generateName === undefined ? '' : `${metadata.generateName}…`);
  return `${kind.kind} ${namespace === undefined ? '' : `${namespace}/`}${called}`;
};

const describeOperation = (operation: Operation): string => {
  const { op, path } = operation;
  if ('from' in operation) return `${op} ${operation.from} to ${path}`;
  return 'value' in operation ? `${op} ${path} ${JSON.stringify(operation.value)}` : `${op} ${path}`;
};

/** Calls a handler; a failure becomes an answer too. */
export const answerOf = (request: AdmissionRequest, options: CallOptions): Promise<Answer> => {
  const [object, { path }] = [titleOf(request), options];
  return callRoute(request, options).then(
    (result) => ({ object, path, result, problem: null }),
    (error: unknown) => ({ object, path, result: null, problem: messageOf(error) }),
  );
};

/** The answer in words, one line for each part. */
export const describeAnswer = ({ object, result, problem }: Answer): readonly string[] => {
  if (result === null) return [`✘ failed   ${object}: ${problem ?? ''}`];
  const { allowed, code, message, warnings, auditAnnotations, patch } = result;
  const head = allowed ? `✔ allowed  ${object}` : `✘ denied   ${object}: ${message ?? ''} (${code ?? ''})`;
  return [
    head,
    ...patch.map((operation) => `  patch    ${describeOperation(operation)}`),
    ...warnings.map((warning) => `  warning  ${warning}`),
    ...Object.entries(auditAnnotations).map(([key, value]) => `  audit    ${key}: ${value}`),
  ];
};
