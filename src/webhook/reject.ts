import type { IncomingMessage, ServerResponse } from 'node:http';
import { logThrottle } from '../logging/log-throttle.ts';
import { looksSecret } from '../util/redact.ts';

/** Longest reason sent, in characters: it ends in the API server's log and on a user's terminal. */
const MAX_ANSWER_CHARS = 1_000;

/** How long the rest of an unwanted body is still read, ms: closing at once would reset the connection under the answer. */
const LINGER_MS = 500;

/**
 * Answers with a plain reason. The API server shows it: `an error on the server ("REASON") has prevented …`.
 *
 * @param retryAfterSeconds makes client-go, and so the API server, repeat the call after a 5xx, on another replica (D-011)
 */
export const reject = (response: ServerResponse, status: number, reason: string, retryAfterSeconds?: number): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A handler's error may contain anything.
  const body = looksSecret(reason)
    ? 'the reason looks like a secret and is not shown\n'
    : `${reason.slice(0, MAX_ANSWER_CHARS)}\n`;
  const { req: request } = response;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  if (status === 405) response.setHeader('Allow', 'POST');
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
  if (request.complete) {
    response.writeHead(status).end(body);
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(status).write(body);
  const end = () => {
    if (!response.writableEnded) response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  response.once('close', () => clearTimeout(timer));
  request.once('end', end).resume();
};

type RejectLogged = (response: ServerResponse, status: number, reason: string, retryAfterSeconds?: number) => void;

/** Called for one rejection of each status a minute, with the number suppressed since the last. */
export type OnRejected = (status: number, reason: string, suppressed: number) => void;

/** Longest reason logged, in characters: it may quote a path. */
const MAX_LOGGED_CHARS = 200;

/** Rejects what is the caller's fault and logs it too, because a misconfigured caller rarely shows the answer. */
export const rejectLogged = (onRejected: OnRejected): RejectLogged => {
  const throttle = logThrottle();
  return (response, status, reason, retryAfterSeconds) => {
    const { emit, suppressed } = throttle(String(status));
    if (emit) onRejected(status, reason.slice(0, MAX_LOGGED_CHARS), suppressed);
    reject(response, status, reason, retryAfterSeconds);
  };
};

/**
 * Rejects a body that does not fit into the memory of the process; the caller repeats the call a second later. The rest of
 * the body is not read: bytes that are read and dropped occupy memory until the next garbage collection.
 */
export const rejectOverMemory = (response: ServerResponse, rejectAndLog: RejectLogged): void => {
  rejectAndLog(response, 503, 'too many requests are held in memory at once', 1);
  response.req.pause();
};

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/** Rejects what is no call of a webhook: anything but a POST of JSON that is small enough. True when it has answered. */
export const rejectNonReview = (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  rejectAndLog: RejectLogged,
): boolean => {
  const { method = '', headers } = request;
  // An aggregated API (APIService) needs every verb, watches without an end and the caller's identity: that is no webhook.
  if (method !== 'POST')
    rejectAndLog(
      response,
      405,
      `${method} is not served: webhooks are called by POST; an aggregated API needs a TLS server of its own`,
    );
  else if (!JSON_TYPE.test(headers['content-type'] ?? ''))
    rejectAndLog(response, 415, 'the content type must be application/json');
  else if (Number(headers['content-length'] ?? 0) > maxBytes)
    rejectAndLog(response, 413, `more than ${maxBytes} bytes`);
  else return false;
  return true;
};

/** Rejects a compressed body, which no API server sends. True when it has answered. */
export const rejectEncoded = (
  { headers }: IncomingMessage,
  response: ServerResponse,
  rejectAndLog: RejectLogged,
): boolean => {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() === 'identity') return false;
  rejectAndLog(response, 415, `Content-Encoding ${encoding} is not supported: send the body uncompressed`);
  return true;
};
