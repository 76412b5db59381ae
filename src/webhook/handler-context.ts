import type { HandlerContext, HandlerLog } from './admission-types.ts';

/** What a handler is given beside the request. The signal is made when somebody asks for it, which few do. */
export class GivenContext implements HandlerContext {
  readonly deadlineMs: number;
  readonly log: HandlerLog;
  #controller: AbortController | null = null;
  #isAborted = false;

  constructor(deadlineMs: number, log: HandlerLog) {
    this.deadlineMs = deadlineMs;
    this.log = log;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Tells the handler, if it listens, that its answer is no longer wanted. */
  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}
