import type { ServerResponse } from 'node:http';
import { Problem } from '../../streams/problem.ts';
import { readResponse } from './admission-schema.ts';
import type { AdmissionHandler, AdmissionRequest, AdmissionResponse, HandlerLog } from './admission-types.ts';
import { faults } from './faults.ts';
import { GivenContext } from './handler-context.ts';

export interface HandlerCall {
  readonly handler: AdmissionHandler;
  readonly request: AdmissionRequest;
  /** Whose close means that nobody waits any longer. */
  readonly response: ServerResponse;
  readonly leftMs: number;
  readonly log: HandlerLog;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';

const inTime = ({ response, leftMs }: HandlerCall, answer: PromiseLike<unknown>, abort: () => void): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const end = (why: string) => () => {
      abort();
      reject(new Problem(why));
    };
    const timer = setTimeout(end('the handler did not answer in time'), leftMs);
    const gone = end('the caller has gone');
    response.once('close', gone);
    const tidy = () => {
      clearTimeout(timer);
      response.off('close', gone);
    };
    answer.then(resolve, reject).then(tidy, tidy);
  });

const judged = (answer: unknown): AdmissionResponse => {
  const parsed = readResponse(answer);
  if (parsed.success) return parsed.data;
  throw new Problem(`the handler's answer is not an AdmissionResponse: ${faults(parsed.error)}`);
};

const problemOf = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem(`the handler failed: ${error instanceof Error ? error.message : String(error)}`);

/**
 * Asks the handler and does not trust it: what it throws, what it returns and how long it takes. One that answers at once
 * is not made to wait for a promise.
 *
 * @throws Problem saying what it did wrong, or rejects with it
 */
export const callHandler = (call: HandlerCall): AdmissionResponse | Promise<AdmissionResponse> => {
  const { handler, request, leftMs, log } = call;
  const context = new GivenContext(Date.now() + leftMs, log);
  try {
    const given: unknown = handler(request, context);
    if (!isPromise(given)) return judged(given);
    const answer = inTime(call, given, () => context.abort()).then(judged);
    return answer.catch((error: unknown) => Promise.reject(problemOf(error)));
  } catch (error) {
    throw problemOf(error);
  }
};
