import type { IncomingMessage } from 'node:http';

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
