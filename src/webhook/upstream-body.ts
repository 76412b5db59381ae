import type { IncomingMessage } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { readBody, type BodyFault } from './read-body.ts';

/** Below this a body is taken whole, bytes: cheaper than a stream, and most AdmissionReviews are smaller. */
const smallBytes = 64 * 1024;

/** Passes on what comes, and fails with `too-large` at the first byte too many. */
const limited = (request: IncomingMessage, maxBytes: number): Readable => {
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      bytes += chunk.length;
      if (bytes > maxBytes) pass(new Error('too-large'));
      else pass(null, chunk);
    },
  });
  // Somebody must listen even when the upstream has been given up before it took the body.
  body.on('error', () => request.unpipe(body).resume());
  return request.pipe(body);
};

/** The request's body to send on, unread. A stream of its own, since a failing upstream destroys what it was given. */
export const upstreamBody = (request: IncomingMessage, maxBytes: number): Promise<Buffer | BodyFault> | Readable => {
  const length = Number(request.headers['content-length'] ?? Infinity);
  return length <= smallBytes ? readBody(request, maxBytes) : limited(request, maxBytes);
};
