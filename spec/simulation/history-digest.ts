import { createHash } from 'node:crypto';
import type { ClusterModel } from './cluster-model.ts';

const part = (key: string, value: unknown): unknown => {
  if (key === 'machine') return (value as { readonly name: string }).name;
  return typeof value === 'function' ? undefined : value;
};

/** SHA-256 of every signal there is, with its time: nothing can differ between two histories and leave it the same. */
export const historyDigest = ({ listen, time }: ClusterModel): (() => string) => {
  const hash = createHash('sha256');
  listen((signal) => {
    hash.update(`${time.nowMs()} ${JSON.stringify(signal, part)}\n`);
  });
  return () => hash.digest('hex');
};
