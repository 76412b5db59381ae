import type { IncomingMessage } from 'node:http';

interface RequestTarget {
  readonly pathname: string;
  /** What `?timeout=` says, ms; null when it says nothing that can be read. */
  readonly timeoutMs: number | null;
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** A Go duration (`10s`, `1m30s`, `1.5s`) in ms; null when it is none. */
const goDurationMs = (text: string): number | null => {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return null;
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)([a-zµ]+)/g))
    totalMs += Number(amount) * (unitMs[unit] ?? 0);
  return totalMs;
};

const read = (url: string): RequestTarget => {
  const mark = url.indexOf('?');
  if (mark < 0) return { pathname: url, timeoutMs: null };
  const timeout = /[?&]timeout=([^&]*)/.exec(url)?.[1];
  return { pathname: url.slice(0, mark), timeoutMs: timeout === undefined ? null : goDurationMs(timeout) };
};

let last = { url: '', target: read('') };

/** Path and deadline of a request line, as the API server writes it: `/validate?timeout=10s`. */
export const requestTarget = (url = '/'): RequestTarget => {
  // Nearly every request asks for the same.
  if (last.url !== url) last = { url, target: read(url) };
  return last.target;
};

export type BodyFault = 'too-large' | 'cut-short';

/** The whole body, or why there is none. Never more than `maxBytes` is held. */
export const readBody = (request: IncomingMessage, maxBytes: number): Promise<Buffer | BodyFault> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        request.off('data', take);
        chunks.length = 0;
        resolve('too-large');
      }
    };
    request.on('data', take);
    request.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.once('error', () => resolve('cut-short'));
    request.once('close', () => resolve('cut-short'));
  });

/**
 * How long an answer may take: what the API server grants, less a margin for the way back (a tenth, at most 500 ms),
 * so that it hears our reason and not its own timeout; and never more than `ceilingMs`.
 */
export const budgetMs = (grantedMs: number | null, ceilingMs: number): number =>
  grantedMs === null ? ceilingMs : Math.max(1, Math.min(ceilingMs, grantedMs - Math.min(500, grantedMs / 10)));

/** How a request ended, for the metrics: `refused` was the caller's fault, `failed` the handler's or the upstream's. */
export type Outcome = 'allowed' | 'denied' | 'forwarded' | 'refused' | 'failed' | 'aborted';

/** Called once for each request, when its fate is known. */
export type OnAnswered = (outcome: Outcome, elapsedMs: number) => void;
