import type { IncomingMessage } from 'node:http';
import { failures } from './failures.ts';
import type { Json } from './kube-object.ts';

/** As kube-apiserver has it. */
const limitBytes = 3 * 1_024 * 1_024;

/** Reads a request's JSON; undefined when it has no body. Errs with 400, 413, and 415 for protobuf or YAML. */
export const readBody = async (request: IncomingMessage): Promise<Json | undefined> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) throw failures.tooLarge();
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return undefined;
  const { 'content-type': contentType = 'application/json' } = request.headers;
  if (!contentType.includes('json')) throw failures.unsupportedMediaType(['application/json']);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Json;
  } catch {
    throw failures.badRequest('the object provided is unrecognized: it is not JSON');
  }
};
