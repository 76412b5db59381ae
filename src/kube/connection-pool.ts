import type { IncomingHttpHeaders } from 'node:http';

/** One request as it goes out. */
export interface Outgoing {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Told what comes back: the header, chunks, then the end; or, at any point, why there is no more. */
export interface Answered {
  header(status: number, headers: IncomingHttpHeaders): void;
  chunk(bytes: Buffer): void;
  end(): void;
  failed(error: Error): void;
}

/** Connections to one server under one set of TLS options, kept alive and used again. */
export interface ConnectionPool {
  /** Opens a connection ahead of the first request, which will use it. A proxy is asked for none. */
  connect(): void;
  /** Starts a request. The result gives it up, and its connection with it, whether that is opening, waiting or reading. */
  dispatch(outgoing: Outgoing, answered: Answered): () => void;
  /** Lets what is in flight end, takes nothing new. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
}
