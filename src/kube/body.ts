import { connect, filter, map, merge, Observable, type OperatorFunction, reduce } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { Part, PartReader } from './exchange.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Parses bytes as JSON; undefined for white space only. Errors contain the size alone, since V8's quote the text. */
const parseJson = (bytes: Uint8Array): unknown => {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw new Problem(`response of ${bytes.length} bytes is not UTF-8`);
  }
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(`response of ${bytes.length} bytes is not JSON`);
  }
};

const NEWLINE = 0x0a;

/** The API server's own limit for one object is 1.5 MiB (etcd); JSON may make it a few times longer. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Parses a byte stream as one JSON value per line, however the bytes are split. Blank lines are skipped; any other line
 * that cannot be parsed errs with a {@link Problem}, including an incomplete last one.
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
        if (pendingBytes > maxLineBytes) throw new Problem(`a line exceeds ${maxLineBytes} bytes`);
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

/** Items of a watch connection: `opened` once the server has answered 200, then one value per line. */
export type StreamLine = { readonly type: 'opened' } | { readonly type: 'line'; readonly value: unknown };

/** Reads a body line by line, as it arrives. */
export const readLines: PartReader<StreamLine> = (part$) =>
  part$.pipe(
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

/** Far above any list this system reads; a larger one would be held in memory several times over. */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

interface Body {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
}

const append = ({ chunks, bytes }: Body, part: Part): Body => {
  if (part.type === 'opened') return { chunks, bytes };
  if (bytes + part.bytes.length > LARGEST_BODY_BYTES) throw new Problem(`response exceeds ${LARGEST_BODY_BYTES} bytes`);
  return { chunks: [...chunks, part.bytes], bytes: bytes + part.bytes.length };
};

const EMPTY_BODY: Body = { chunks: [], bytes: 0 };

/** Reads the whole body as one JSON value; null when it is empty. */
export const readJson: PartReader<unknown> = (part$) =>
  part$.pipe(
    reduce(append, EMPTY_BODY),
    map(({ chunks, bytes }) => parseJson(Buffer.concat(chunks, bytes)) ?? null),
  );
