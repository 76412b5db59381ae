export interface RequestTarget {
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
