/** One request as the server answered it. */
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

/** The requests of late, for specs that count calls and for the demo to show. */
export class RequestLog {
  readonly #limit: number;
  readonly #entries: LoggedRequest[] = [];
  #total = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** Oldest first; the oldest are dropped beyond the limit. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Of all that ever came, dropped ones included. */
  get total(): number {
    return this.#total;
  }

  append(entry: LoggedRequest): void {
    this.#total += 1;
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) this.#entries.shift();
  }

  /** How many of the remembered ones agree with every given part, such as `{ verb: 'patch', resource: 'leases' }`. */
  count(wanted: Partial<LoggedRequest>): number {
    const parts = Object.entries(wanted) as [keyof LoggedRequest, unknown][];
    return this.#entries.filter((entry) => parts.every(([key, value]) => entry[key] === value)).length;
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
