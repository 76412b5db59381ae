import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import * as z from 'zod/mini';
import { $ZodError } from 'zod/v4/core';
import { Problem } from '../../streams/problem.ts';

interface ApiErrorFacts {
  /** HTTP status; null when no answer came. */
  readonly status?: number | null;
  /** `reason` of the Kubernetes Status (`Forbidden`, `Conflict`, `Expired` …); `Untrusted` when TLS failed; else null. */
  readonly reason?: string | null;
  /** `Retry-After`, bounded by {@link LONGEST_RETRY_AFTER_MS}. */
  readonly retryAfterMs?: number | null;
}

/** A failed request to the API server. The message names the request and the reason, and contains no secret. */
export class ApiError extends Problem {
  override readonly name: string = 'ApiError';
  readonly reason: string | null;

  constructor(message: string, facts: ApiErrorFacts = {}) {
    super(message, facts.status ?? null, facts.retryAfterMs ?? null);
    this.reason = facts.reason ?? null;
  }
}

/** metav1.Status, as far as it explains a rejection. Never throws: any other body explains nothing. */
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
// `token: …`, `"clientKeyData":"…"`, `password=…`: an exec plugin may print anything when it fails.
const NAMED = /((?:token|password|passwd|secret|key-?data)["']?\s*[:=]\s*["']?)[^\s"',}]+/gi;
const OPAQUE = /[A-Za-z0-9+/=_.-]{32,}/g;

// `APIService.apiregistration.k8s.io`: a kind without digits, then DNS labels too short to be a token in hex or base32.
const KIND_AND_GROUP = /^[A-Z][A-Za-z]{0,62}(?:\.[a-z][a-z0-9-]{0,23})+\.?$/;

/** Kubernetes names are lower-case, kinds have no digits: a run that mixes all three is a token, a key or a blob. */
const looksSecret = (run: string): boolean =>
  /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run) && !KIND_AND_GROUP.test(run);

/**
 * Removes secrets from text that comes from outside: PEM, Authorization headers, tokens, encoded blobs. The result is
 * bounded and on one line. The API server quotes the bytes around a decoding error, which may be those of a Secret.
 *
 * @param secret the credential of the request, which must not be repeated
 */
export const redact = (text: string, secret: string | null = null): string => {
  // Cut generously before the patterns run, and again afterwards.
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

/** A longer `Retry-After` is a mistake or an attack: the Lease would expire, and a caBundle would not be repaired. */
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;

const boundedRetryAfterMs = (ms: number): number => Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);

/** RFC 9110: seconds, or a date by the server's clock. */
const retryAfterMs = (header: string | undefined, serverDate: string | undefined): number | null => {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return boundedRetryAfterMs(Number(header) * 1000);
  const waitMs = Date.parse(header) - (serverDate === undefined ? Date.now() : Date.parse(serverDate));
  return Number.isNaN(waitMs) ? null : boundedRetryAfterMs(waitMs);
};

/** `details.retryAfterSeconds` of a Status. */
const hintedRetryAfterMs = (seconds: number | null): number | null =>
  seconds === null ? null : boundedRetryAfterMs(seconds * 1000);

interface Rejection {
  /** The request, as `requestSubject` words it. */
  readonly subject: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The credential of the request. */
  readonly secret: string | null;
}

/** Makes an {@link ApiError} of a response other than 2xx. The API server's text of a 403 names verb and resource. */
export const statusError = ({ subject, status, headers, body, secret }: Rejection): ApiError => {
  const { reason, message, details } = statusSchema.parse(parsed(body));
  const text = redact(message, secret) || (STATUS_CODES[status] ?? 'without a reason');
  const date = typeof headers.date === 'string' ? headers.date : undefined;
  return new ApiError(`${subject}: ${status} ${text}`, {
    status,
    reason,
    retryAfterMs: retryAfterMs(headers['retry-after'], date) ?? hintedRetryAfterMs(details.retryAfterSeconds),
  });
};

const codeOf = (error: Error): string | null => ('code' in error && typeof error.code === 'string' ? error.code : null);

/** For a host with several addresses Node throws an AggregateError without a message; its first error has the reason. */
const rootOf = (error: Error): Error => {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null;
  return first instanceof Error ? first : error;
};

/** Error codes of OpenSSL and Node for a certificate that either side rejects. */
const UNTRUSTED = /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA)/;

/** Makes an {@link ApiError} of an error of the socket, of TLS or of the HTTP parser: no response came. */
export const connectionFailure = (subject: string, error: Error, secret: string | null): ApiError => {
  if (error instanceof ApiError) return error;
  const root = rootOf(error);
  const code = codeOf(root);
  const why = redact(root.message, secret) || root.name;
  return new ApiError(`${subject}: ${code === null || why.includes(code) ? why : `${why} (${code})`}`, {
    reason: code !== null && UNTRUSTED.test(code) ? 'Untrusted' : null,
  });
};

/** Makes an {@link ApiError} of the Status in an ERROR event of a watch. Its code replaces the HTTP status, which was 200. */
export const watchEventProblem = (subject: string, object: unknown): ApiError => {
  const { code, reason, message, details } = statusSchema.parse(object);
  return new ApiError(`${subject}: ${code ?? 'ERROR event'} ${redact(message) || (reason ?? 'without a reason')}`, {
    status: code,
    reason,
    retryAfterMs: hintedRetryAfterMs(details.retryAfterSeconds),
  });
};

/** Names the fields of a response that have an unexpected shape, without their values. */
const unexpectedFields = ({ issues }: $ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, code }) => `${path.map(String).join('.') || 'the whole'} (${code})`)
    .join(', ');

/** Decodes a response; one that does not have the expected shape becomes an {@link ApiError}. Other errors pass through. */
export const decodeOrThrow = <T>(subject: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof $ZodError)) throw error;
    throw new ApiError(`${subject}: unexpected response: ${unexpectedFields(error)}`);
  }
};
