import type { Generation } from './generation.ts';
import type { StoredSecret } from './stored-objects.ts';

/** What the kubelet has put into one Pod. It outlives the containers in it. */
export interface Volume {
  current(): Generation;
  /** Every generation there ever was. */
  has(generation: Generation): boolean;
  /** Null when it stays as it is. */
  swap(secret: StoredSecret): Generation | null;
  onSwap(listener: () => void): () => void;
}

export const emptyVolume = (): Volume => {
  const first: Generation = { id: 'empty', crt: null, key: null, trust: [] };
  const generations = new Set([first]);
  const listeners = new Set<() => void>();
  let current = first;
  return {
    current: () => current,
    has: (generation) => generations.has(generation),
    swap: ({ crt, key, trust }) => {
      // As src/certificates/mount.ts: named after its bytes.
      const id = JSON.stringify([crt, key, trust]);
      if (id === current.id) return null;
      current = { id, crt, key, trust };
      generations.add(current);
      for (const listener of [...listeners]) listener();
      return current;
    },
    onSwap: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
