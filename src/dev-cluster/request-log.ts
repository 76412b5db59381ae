/** One answered request. */
export interface LoggedRequest {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly user: string;
  /** A Kubernetes verb, or the HTTP method for a path outside the API groups. */
  readonly verb: string;
  /** The plural; null for a path outside the API groups. */
  readonly resource: string | null;
  readonly subresource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  /** The HTTP status. A watch is logged when it starts. */
  readonly code: number;
}

/** The latest requests, for specs that count calls. */
export class RequestLog {
  readonly #limit: number;
  readonly #entries: LoggedRequest[] = [];
  #total = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** Oldest first; beyond the limit the oldest are dropped. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Number of all requests, dropped ones included. */
  get total(): number {
    return this.#total;
  }

  append(entry: LoggedRequest): void {
    this.#total += 1;
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) this.#entries.shift();
  }

  /** Number of kept requests that match every given field, such as `{ verb: 'patch', resource: 'leases' }`. */
  count(fields: Partial<LoggedRequest>): number {
    const parts = Object.entries(fields) as [keyof LoggedRequest, unknown][];
    return this.#entries.filter((entry) => parts.every(([key, value]) => entry[key] === value)).length;
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
