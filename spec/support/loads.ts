import type { LoadEvent, Swapped } from '../../streams/load-certificate.ts';
import type { NotShown, VerifiedPair } from '../../streams/model.ts';
import { pairOf } from './pair-of.ts';

/** What a server that terminates TLS itself shows instead of the announced pair: z. */
export const shownInstead: NotShown = {
  kind: 'served-elsewhere',
  detail: 'neighbour shows z',
  shown: pairOf('z'),
  refused: null,
};

/** How a load can end, and what it says on its way. */
export const loads = {
  unannounced: (malformed: string | null = null): LoadEvent => ({ type: 'certificate/unannounced', malformed }),
  unmounted: (hash: string): LoadEvent => ({ type: 'certificate/unmounted', hash }),
  mismatched: (hash: string, filesystemHash: string): LoadEvent => ({
    type: 'certificate/mismatched',
    hash,
    filesystemHash,
  }),
  rejected: (hash: string, reason: string, retryable = false): LoadEvent => ({
    type: 'certificate/rejected',
    hash,
    reason,
    retryable,
  }),
  swapped: (): Swapped => ({ type: 'certificate/swapped' }),
  served: (hash: string, rest: Partial<VerifiedPair> = {}): LoadEvent => ({
    type: 'certificate/served',
    pair: pairOf(hash, rest),
    untrusted: null,
  }),
  notShown: (hash: string, rest: Partial<NotShown> = {}): LoadEvent => ({
    type: 'certificate/not-shown',
    pair: pairOf(hash),
    ...shownInstead,
    ...rest,
  }),
  untrusted: (hash: string, untrusted: string): LoadEvent => ({
    type: 'certificate/served',
    pair: pairOf(hash),
    untrusted,
  }),
} as const;
