import { EMPTY, distinctUntilChanged, map, of, repeat, switchMap, timer } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { againMs } from './again-ms.ts';
import type { Wanted } from './load-certificate.ts';

const unannouncedMount = ({ lease, mounted }: Wanted): string | null =>
  mounted.hash === null || mounted.hash === lease?.announcement?.hash ? null : mounted.generation;

/**
 * Asks for as long as something is mounted that nobody has announced: at once, after 2 s, 4 s … 30 s. Once would not do:
 * the kubelet may be ahead of the announcement and the one answer lost, and a dead watch then costs a minute (F7).
 *
 *     wanted    a-------b---------c-------      b mounted before it is announced, c announced
 *     result    --------?-?---?-----------
 */
export const unannounced = (): OperatorFunction<Wanted, 'asked'> => (wanted$) =>
  wanted$.pipe(
    map(unannouncedMount),
    distinctUntilChanged(),
    switchMap((mount) =>
      mount === null ? EMPTY : of('asked' as const).pipe(repeat({ delay: (times) => timer(againMs(times)) })),
    ),
  );
