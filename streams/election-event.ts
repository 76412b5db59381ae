/** Whether this replica may still write: it renewed less than RENEW_DEADLINE ago, by a clock that never jumps. */
export type Fence = () => boolean;

export type ElectionEvent =
  | { readonly type: 'leadership/acquired'; readonly fence: Fence }
  | { readonly type: 'leadership/renewed' }
  | { readonly type: 'leadership/lost'; readonly reason: 'deposed' | 'renew-deadline' }
  | { readonly type: 'leadership/released' }
  | {
      readonly type: 'leadership/failed';
      readonly status: number | null;
      readonly error: string;
      readonly retryInMs: number;
    };
