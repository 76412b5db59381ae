import { Observable, type OperatorFunction } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { parseJson } from './parse-json.ts';

const newline = 0x0a;

/** The API server's own limit for one object is 1.5 MiB (etcd); JSON may make it a few times longer. */
const longestLineBytes = 16 * 1024 * 1024;

/**
 * Bytes, however they were cut, to one parsed JSON value a line. Blank lines are skipped; anything else that cannot be
 * read errs with a {@link Problem}, a last line that was cut short included.
 *
 * ```
 * source: --{"a"------:1}\n{"b":2}\n--|
 * result: ------------({a:1}{b:2})----|
 * ```
 */
export function jsonLines(maxLineBytes: number = longestLineBytes): OperatorFunction<Uint8Array, unknown> {
  return (source$) =>
    new Observable((subscriber) => {
      let pending: Uint8Array[] = [];
      let pendingBytes = 0;

      function take(part: Uint8Array): void {
        pending.push(part);
        pendingBytes += part.length;
        if (pendingBytes > maxLineBytes) throw new Problem(`a line is longer than ${maxLineBytes} bytes`);
      }
      function endLine(): void {
        const only = pending.length === 1 ? pending[0] : undefined;
        const line = only ?? Buffer.concat(pending, pendingBytes);
        pending = [];
        pendingBytes = 0;
        const value = parseJson(line);
        if (value !== undefined) subscriber.next(value);
      }
      function attempt(step: () => void): boolean {
        try {
          step();
          return true;
        } catch (error) {
          subscriber.error(error);
          return false;
        }
      }

      return source$.subscribe({
        next: (chunk) =>
          attempt(() => {
            let from = 0;
            for (let to = chunk.indexOf(newline); to !== -1 && !subscriber.closed; to = chunk.indexOf(newline, from)) {
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
}
