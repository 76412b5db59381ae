/** How a request ended, for the metrics: `refused` was the caller's fault, `failed` the handler's or the upstream's. */
export type Outcome = 'allowed' | 'denied' | 'forwarded' | 'refused' | 'failed' | 'aborted';

/** Called once for each request, when its fate is known. */
export type OnAnswered = (outcome: Outcome, elapsedMs: number) => void;
