import { Problem } from '../../streams/problem.ts';

export interface KubeProblemFacts {
  /** HTTP status; null when no answer came. */
  readonly status?: number | null;
  /** `reason` of the Kubernetes Status (`Forbidden`, `Conflict`, `Expired` …); `Untrusted` when TLS refused; else null. */
  readonly reason?: string | null;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number | null;
}

/** A request to the API server that failed. The message says what was asked and why it failed, and carries no secret. */
export class KubeProblem extends Problem {
  override readonly name: string = 'KubeProblem';
  readonly reason: string | null;
  readonly retryAfterMs: number | null;

  constructor(message: string, facts: KubeProblemFacts = {}) {
    super(message, facts.status ?? null);
    this.reason = facts.reason ?? null;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}
