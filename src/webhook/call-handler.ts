import { Problem } from '../../streams/problem.ts';
import { admissionResponse } from './admission-schema.ts';
import type { AdmissionHandler, AdmissionRequest, AdmissionResponse, HandlerContext } from './admission-types.ts';
import { faults } from './faults.ts';

const late = Symbol('late');

export interface HandlerCall {
  readonly handler: AdmissionHandler;
  readonly request: AdmissionRequest;
  readonly context: HandlerContext;
}

/**
 * Asks the handler and does not trust it: what it throws, what it returns and how long it takes.
 *
 * @throws Problem saying what it did wrong.
 */
export const callHandler = async ({ handler, request, context }: HandlerCall): Promise<AdmissionResponse> => {
  const { signal } = context;
  let give: (gone: typeof late) => void = () => undefined;
  const gone = new Promise<typeof late>((resolve) => (give = resolve));
  const onAbort = () => give(late);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answer: unknown = await Promise.race([gone, handler(request, context)]);
    if (answer === late) throw new Problem('the handler did not answer in time');
    const parsed = admissionResponse.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new Problem(`the handler's answer is not an AdmissionResponse: ${faults(parsed.error)}`);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`the handler failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
