import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import * as z from 'zod/mini';
import { $ZodError } from 'zod/v4/core';
import { Problem } from '../../streams/problem.ts';

interface KubeProblemFacts {
  /** HTTP status; null when no answer came. */
  readonly status?: number | null;
  /** `reason` of the Kubernetes Status (`Forbidden`, `Conflict`, `Expired` …); `Untrusted` when TLS refused; else null. */
  readonly reason?: string | null;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number | null;
}

/** A request to the API server that failed. The message says what was asked and why it failed, and carries no secret. */
export class ApiError extends Problem {
  override readonly name: string = 'KubeProblem';
  readonly reason: string | null;
  override readonly retryAfterMs: number | null;

  constructor(message: string, facts: KubeProblemFacts = {}) {
    super(message, facts.status ?? null);
    this.reason = facts.reason ?? null;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}

/** metav1.Status, as far as it explains a refusal. Never throws: whatever else came explains nothing. */
const statusSchema = z.catch(
  z.object({
    code: z.catch(z.nullable(z.number()), null),
    reason: z.catch(z.nullable(z.string()), null),
    message: z.catch(z.string(), ''),
    details: z.catch(z.object({ retryAfterSeconds: z.catch(z.nullable(z.number().check(z.nonnegative())), null) }), {
      retryAfterSeconds: null,
    }),
  }),
  { code: null, reason: null, message: '', details: { retryAfterSeconds: null } },
);

const LONGEST_CHARS = 600;

const PEM = /-----BEGIN [^-]*-----[\s\S]*?(?:-----END [^-]*-----|$)/g;
const AUTHORIZATION = /\b(bearer|basic)\s+[^\s"',]+/gi;
// `token: …`, `"clientKeyData":"…"`, `password=…`: what a plugin prints when it fails is its own affair.
const NAMED = /((?:token|password|passwd|secret|key-?data)["']?\s*[:=]\s*["']?)[^\s"',}]+/gi;
const OPAQUE = /[A-Za-z0-9+/=_.-]{32,}/g;

/** Kubernetes names are lower-case, kinds carry no digits: what mixes all three is a token, a key or an encoded blob. */
const looksSecret = (run: string): boolean => /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run);

/**
 * Makes text from outside fit for a message: no PEM, no bearer, no blob, bounded, on one line.
 * The API server quotes the bytes around a decoding error, which may be those of a Secret.
 *
 * @param secret A credential that was sent along and must not come back.
 */
export const redact = (text: string, secret: string | null = null): string => {
  // Cut generously first, since the patterns need not run over megabytes; cut again once clean.
  let clean = text.slice(0, LONGEST_CHARS * 10);
  if (secret !== null && secret !== '') clean = clean.replaceAll(secret, '[redacted]');
  clean = clean
    .replace(PEM, '[redacted]')
    .replace(AUTHORIZATION, '$1 [redacted]')
    .replace(NAMED, '$1[redacted]')
    .replace(OPAQUE, (run) => (looksSecret(run) ? '[redacted]' : run))
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length > LONGEST_CHARS ? `${clean.slice(0, LONGEST_CHARS)}…` : clean;
};

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

/** RFC 9110: seconds, or a date by the server's clock. */
const retryAfterMs = (header: string | undefined, serverDate: string | undefined): number | null => {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const waitMs = Date.parse(header) - (serverDate === undefined ? Date.now() : Date.parse(serverDate));
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs);
};

interface Refusal {
  /** What was asked, as `requestSubject` says it. */
  readonly subject: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The credential that was sent along. */
  readonly secret: string | null;
}

/** Turns an answer other than 2xx into a problem. For a 403 the API server's own words name the verb and the resource. */
export const statusError = ({ subject, status, headers, body, secret }: Refusal): ApiError => {
  const { reason, message, details } = statusSchema.parse(parsed(body));
  const said = redact(message, secret) || (STATUS_CODES[status] ?? 'without a reason');
  const date = typeof headers.date === 'string' ? headers.date : undefined;
  const hintMs = details.retryAfterSeconds === null ? null : details.retryAfterSeconds * 1000;
  return new ApiError(`${subject}: ${status} ${said}`, {
    status,
    reason,
    retryAfterMs: retryAfterMs(headers['retry-after'], date) ?? hintMs,
  });
};

const codeOf = (error: Error): string | null => ('code' in error && typeof error.code === 'string' ? error.code : null);

/** With several addresses Node says only "AggregateError"; the first of them tells why. */
const rootOf = (error: Error): Error => {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null;
  return first instanceof Error ? first : error;
};

/** Either side refuses the other's certificate, as OpenSSL and Node spell it. */
const UNTRUSTED = /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA)/;

/** Why no answer came. `error` is whatever the socket, TLS or the HTTP parser threw. */
export const connectionFailure = (subject: string, error: Error, secret: string | null): ApiError => {
  if (error instanceof ApiError) return error;
  const root = rootOf(error);
  const code = codeOf(root);
  const why = redact(root.message, secret) || root.name;
  return new ApiError(`${subject}: ${code === null || why.includes(code) ? why : `${why} (${code})`}`, {
    reason: code !== null && UNTRUSTED.test(code) ? 'Untrusted' : null,
  });
};

/** The Status inside an ERROR line of a watch. Its code stands in for the HTTP status, which was 200. */
export const watchEventProblem = (subject: string, object: unknown): ApiError => {
  const { code, reason, message, details } = statusSchema.parse(object);
  return new ApiError(`${subject}: ${code ?? 'error'} ${redact(message) || (reason ?? 'without a reason')}`, {
    status: code,
    reason,
    retryAfterMs: details.retryAfterSeconds === null ? null : details.retryAfterSeconds * 1000,
  });
};

/** Where and how an answer is not what it should be, without its values. */
const faultsOf = ({ issues }: $ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, code }) => `${path.map(String).join('.') || 'the whole'} (${code})`)
    .join(', ');

/** Runs `read`; an answer that does not have the expected shape becomes a {@link ApiError}, anything else passes. */
export const decodeOrThrow = <T>(subject: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof $ZodError)) throw error;
    throw new ApiError(`${subject}: answered something else than expected at ${faultsOf(error)}`);
  }
};
