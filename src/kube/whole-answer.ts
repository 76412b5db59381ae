import { map, reduce } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { Part, PartReader } from './exchange.ts';
import { parseJson } from './parse-json.ts';

/** Far above any list this system reads; what is larger would be held in memory several times over. */
const largestBodyBytes = 64 * 1024 * 1024;

interface Body {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
}

function append({ chunks, bytes }: Body, part: Part): Body {
  if (part.type === 'opened') return { chunks, bytes };
  if (bytes + part.bytes.length > largestBodyBytes) throw new Problem(`answered more than ${largestBodyBytes} bytes`);
  return { chunks: [...chunks, part.bytes], bytes: bytes + part.bytes.length };
}

const nothing: Body = { chunks: [], bytes: 0 };

/** The whole body as one JSON value; null when it is empty. */
export const wholeAnswer: PartReader<unknown> = {
  read(part$) {
    return part$.pipe(
      reduce(append, nothing),
      map(({ chunks, bytes }) => parseJson(Buffer.concat(chunks, bytes)) ?? null),
    );
  },
};
