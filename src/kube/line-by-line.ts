import { connect, filter, map, merge } from 'rxjs';
import type { PartReader } from './exchange.ts';
import { jsonLines } from './json-lines.ts';

/** What a watch connection yields: `opened` once the server has answered 200, then a value a line. */
export type StreamLine = { readonly type: 'opened' } | { readonly type: 'line'; readonly value: unknown };

/** The body line by line, as it comes. */
export const lineByLine: PartReader<StreamLine> = {
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
