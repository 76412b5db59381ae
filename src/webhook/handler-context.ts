import type { HandlerContext, HandlerLog } from './admission-types.ts';

export interface GivenContext {
  readonly context: HandlerContext;
  /** Tells the handler, if it listens, that its answer is no longer wanted. */
  readonly abort: () => void;
}

/** What a handler is given beside the request. The signal is made when somebody asks for it, which few do. */
export const handlerContext = (deadlineMs: number, log: HandlerLog): GivenContext => {
  let controller: AbortController | null = null;
  let aborted = false;
  return {
    context: {
      deadlineMs,
      log,
      get signal() {
        controller ??= new AbortController();
        if (aborted) controller.abort();
        return controller.signal;
      },
    },
    abort: () => {
      aborted = true;
      controller?.abort();
    },
  };
};
