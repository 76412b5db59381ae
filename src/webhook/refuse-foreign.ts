import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refuse } from './refusing.ts';

const json = /^application\/json\s*(?:;|$)/i;

/** Refuses what no API server sends: anything but a POST of JSON that is small enough. True when it has answered. */
export const refuseForeign = (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  refuse: Refuse,
): boolean => {
  const { method = '', headers } = request;
  if (method !== 'POST') refuse(response, 405, `${method} is not answered here, only POST`);
  else if (!json.test(headers['content-type'] ?? ''))
    refuse(response, 415, 'the content type must be application/json');
  else if (Number(headers['content-length'] ?? 0) > maxBytes) refuse(response, 413, `more than ${maxBytes} bytes`);
  else return false;
  return true;
};
