import { connect, filter, map, merge, Observable, type OperatorFunction, reduce } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { Part, PartReader } from './exchange.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes to JSON; undefined when there is nothing but white space. Errors name the size only: V8's quote the text. */
const parseJson = (bytes: Uint8Array): unknown => {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new Problem(`answered ${bytes.length} bytes that are not UTF-8`);
  }
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(`answered ${bytes.length} bytes that are not JSON`);
  }
};

const NEWLINE = 0x0a;

/** The API server's own limit for one object is 1.5 MiB (etcd); JSON may make it a few times longer. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Bytes, however they were cut, to one parsed JSON value a line. Blank lines are skipped; anything else that cannot be
 * read errs with a {@link Problem}, a last line that was cut short included.
 *
 * ```
 * source: --{"a"------:1}\n{"b":2}\n--|
 * result: ------------({a:1}{b:2})----|
 * ```
 */
export const jsonLines =
  (maxLineBytes: number = LONGEST_LINE_BYTES): OperatorFunction<Uint8Array, unknown> =>
  (source$) =>
    new Observable((subscriber) => {
      let pending: Uint8Array[] = [];
      let pendingBytes = 0;

      const take = (part: Uint8Array): void => {
        pending.push(part);
        pendingBytes += part.length;
        if (pendingBytes > maxLineBytes) throw new Problem(`a line is longer than ${maxLineBytes} bytes`);
      };
      const endLine = (): void => {
        const only = pending.length === 1 ? pending[0] : undefined;
        const line = only ?? Buffer.concat(pending, pendingBytes);
        pending = [];
        pendingBytes = 0;
        const value = parseJson(line);
        if (value !== undefined) subscriber.next(value);
      };
      const attempt = (step: () => void): boolean => {
        try {
          step();
          return true;
        } catch (error) {
          subscriber.error(error);
          return false;
        }
      };

      return source$.subscribe({
        next: (chunk) =>
          attempt(() => {
            let from = 0;
            for (let to = chunk.indexOf(NEWLINE); to !== -1 && !subscriber.closed; to = chunk.indexOf(NEWLINE, from)) {
              take(chunk.subarray(from, to));
              endLine();
              from = to + 1;
            }
            if (from < chunk.length) take(chunk.subarray(from));
          }),
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          if (attempt(endLine)) subscriber.complete();
        },
      });
    });

/** What a watch connection yields: `opened` once the server has answered 200, then a value a line. */
export type StreamLine = { readonly type: 'opened' } | { readonly type: 'line'; readonly value: unknown };

/** The body line by line, as it comes. */
export const readLines: PartReader<StreamLine> = {
  read(part$) {
    return part$.pipe(
      connect((shared$) =>
        merge(
          shared$.pipe(filter((part) => part.type === 'opened')),
          shared$.pipe(
            filter((part) => part.type === 'chunk'),
            map(({ bytes }) => bytes),
            jsonLines(),
            map((value): StreamLine => ({ type: 'line', value })),
          ),
        ),
      ),
    );
  },
};

/** Far above any list this system reads; what is larger would be held in memory several times over. */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

interface Body {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
}

const append = ({ chunks, bytes }: Body, part: Part): Body => {
  if (part.type === 'opened') return { chunks, bytes };
  if (bytes + part.bytes.length > LARGEST_BODY_BYTES)
    throw new Problem(`answered more than ${LARGEST_BODY_BYTES} bytes`);
  return { chunks: [...chunks, part.bytes], bytes: bytes + part.bytes.length };
};

const nothing: Body = { chunks: [], bytes: 0 };

/** The whole body as one JSON value; null when it is empty. */
export const readJson: PartReader<unknown> = {
  read(part$) {
    return part$.pipe(
      reduce(append, nothing),
      map(({ chunks, bytes }) => parseJson(Buffer.concat(chunks, bytes)) ?? null),
    );
  },
};
