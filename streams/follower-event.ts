import type { DeadlineEvent } from './certificate-deadline.ts';
import type { LoadEvent, Wanted } from './load-certificate.ts';
import type { PodEvent } from './pod-annotations.ts';
import type { Readiness } from './readiness.ts';

export type FollowerEvent =
  | { readonly type: 'wanted/changed'; readonly wanted: Wanted; readonly elapsedMs: number }
  | { readonly type: 'tick/checked'; readonly wanted: Wanted }
  | { readonly type: 'certificate/concluded'; readonly load: LoadEvent; readonly elapsedMs: number }
  | { readonly type: 'readiness/changed'; readonly readiness: Readiness }
  | DeadlineEvent
  | PodEvent;
