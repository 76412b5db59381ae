import type { IncomingMessage, ServerResponse } from 'node:http';
import { logThrottle } from '../logging/log-throttle.ts';
import { looksSecret } from '../util/redact.ts';

/** Longest reason told, in characters: it ends in the API server's log and on somebody's terminal. */
const LONGEST_ANSWER = 1_000;

/** How long the rest of a body that nobody wants is still taken, ms: closing at once would reset the answer away. */
const LINGER_MS = 500;

/** Answers with a plain reason. The API server shows it: `an error on the server ("REASON") has prevented …`. */
export const reject = (response: ServerResponse, status: number, reason: string): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A handler may have put anything into its error.
  const body = looksSecret(reason)
    ? 'the reason looks like a secret and is not told\n'
    : `${reason.slice(0, LONGEST_ANSWER)}\n`;
  const { req: request } = response;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  if (status === 405) response.setHeader('Allow', 'POST');
  if (request.complete) {
    response.writeHead(status).end(body);
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(status).write(body);
  const end = () => response.end();
  const timer = setTimeout(end, LINGER_MS);
  response.once('close', () => clearTimeout(timer));
  request.once('end', end).resume();
};

type Refuse = (response: ServerResponse, status: number, reason: string) => void;

/** Told of one refusal of each status a minute, with the number that went suppressed since the last. */
export type OnRejected = (status: number, reason: string, suppressed: number) => void;

/** Longest reason told, in characters: it may quote a path. */
const LONGEST_LOGGED = 200;

/** Refuses what is the caller's fault, and says so: whoever calls wrongly hardly ever reads the answer. */
export const rejectLogged = (onRefused: OnRejected): Refuse => {
  const loudness = logThrottle();
  return (response, status, reason) => {
    const { emit, suppressed } = loudness(String(status));
    if (emit) onRefused(status, reason.slice(0, LONGEST_LOGGED), suppressed);
    reject(response, status, reason);
  };
};

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/** Refuses what no API server sends: anything but a POST of JSON_TYPE that is small enough. True when it has answered. */
export const rejectNonReview = (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  refuse: Refuse,
): boolean => {
  const { method = '', headers } = request;
  if (method !== 'POST') refuse(response, 405, `${method} is not answered here, only POST`);
  else if (!JSON_TYPE.test(headers['content-type'] ?? ''))
    refuse(response, 415, 'the content type must be application/json');
  else if (Number(headers['content-length'] ?? 0) > maxBytes) refuse(response, 413, `more than ${maxBytes} bytes`);
  else return false;
  return true;
};
