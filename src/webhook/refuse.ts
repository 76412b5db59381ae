import type { ServerResponse } from 'node:http';
import { looksSecret } from '../looks-secret.ts';

/** Longest reason told, in characters: it ends in the API server's log and on somebody's terminal. */
const longest = 1_000;

/** How long the rest of a body that nobody wants is still taken, ms: closing at once would reset the answer away. */
const lingerMs = 500;

/** Answers with a plain reason. The API server shows it: `an error on the server ("REASON") has prevented …`. */
export const refuse = (response: ServerResponse, status: number, reason: string): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A handler may have put anything into its error.
  const body = looksSecret(reason)
    ? 'the reason looks like a secret and is not told\n'
    : `${reason.slice(0, longest)}\n`;
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
  const timer = setTimeout(end, lingerMs);
  response.once('close', () => clearTimeout(timer));
  request.once('end', end).resume();
};
