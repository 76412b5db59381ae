import type { LeaderEvent, ObjectStep } from '../../streams/leader.ts';
import type { LeaseChange } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot, VerifiedPair, VolumeSnapshot } from '../../streams/model.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Written } from './collection.ts';
import type { Fault } from './fault.ts';
import type { Generation } from './generation.ts';
import type { Machine } from './machine.ts';
import type { StoredAuthority, StoredLease, StoredPod, StoredSecret, StoredTarget } from './stored-objects.ts';

type Of<Kind, T> = { readonly type: 'written'; readonly kind: Kind } & Written<T>;

/** Something was written to the API server, by whomever; `before` equals `after` when it changed nothing. */
export type WrittenSignal =
  | Of<'lease', StoredLease>
  | Of<'secret', StoredSecret>
  | Of<'authority', StoredAuthority>
  | Of<'source', StoredSecret>
  | Of<'target', StoredTarget>
  | Of<'pod', StoredPod>;

/** All that can be seen of the model from outside; laws and timeline live on it. */
export type Signal =
  | WrittenSignal
  | { readonly type: 'fault'; readonly fault: Fault | 'calm' }
  | {
      readonly type: 'machine';
      readonly machine: Machine;
      readonly became: 'started' | 'crashed' | 'paused' | 'resumed';
    }
  | { readonly type: 'event'; readonly machine: Machine; readonly event: ReplicaEvent | LeaderEvent }
  /** A step's write leaves the machine. */
  | { readonly type: 'sent'; readonly machine: Machine; readonly step: ObjectStep }
  /** A write to the Lease is asked for; `settled` when its answer has come or nobody waits for it any more. */
  | { readonly type: 'lease/asked'; readonly machine: Machine; readonly change: LeaseChange }
  | { readonly type: 'lease/settled'; readonly machine: Machine }
  /** `sentAtMs` is when the write was sent that this is the answer to; null for a read or a watch. */
  | {
      readonly type: 'lease/told';
      readonly machine: Machine;
      readonly lease: LeaseSnapshot | null;
      readonly answers: { readonly change: LeaseChange; readonly sentAtMs: number } | null;
    }
  /** The watch of a caBundle target tells how it stands. */
  | { readonly type: 'target/told'; readonly machine: Machine; readonly name: string; readonly version: string }
  | { readonly type: 'mount/read'; readonly machine: Machine; readonly reading: VolumeSnapshot }
  | { readonly type: 'mount/swapped'; readonly machine: Machine; readonly generation: Generation }
  /** One of verify, serve, handshake, from its subscription to its end. */
  | { readonly type: 'load/began' | 'load/ended'; readonly machine: Machine; readonly part: LoadPart }
  | {
      readonly type: 'served';
      readonly machine: Machine;
      readonly pair: VerifiedPair;
      readonly files: Generation;
    }
  /** Another server in its Pod shows another certificate now. */
  | { readonly type: 'neighbour/loaded'; readonly machine: Machine }
  /** What a handshake showed, and why callers refuse that. */
  | { readonly type: 'shook-hands'; readonly machine: Machine; readonly hash: string; readonly problem: string | null };

export type LoadPart = 'verify' | 'serve' | 'handshake';
