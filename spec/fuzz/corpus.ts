import { readFileSync } from 'node:fs';
import { fuzzKey } from './fuzz-key.ts';

const certificate = (name: string): Buffer => readFileSync(new URL(`corpus/${name}.crt`, import.meta.url));
const key = (name: string): Buffer => Buffer.from(fuzzKey(name).export({ type: 'pkcs8', format: 'pem' }));

/** What PEM is broken from, the same at each run; `write-corpus.ts` made the certificates. */
export const corpus = {
  /** When they are judged: all but the expired one are valid then. */
  nowMs: Date.UTC(2027, 0, 1),
  authority: { certificate: certificate('authority'), key: key('authority') },
  good: { certificate: certificate('good'), key: key('leaf') },
  /** Of the same authority, for the very key of the good one. */
  expired: certificate('expired'),
  /** Of another authority. */
  foreign: { certificate: certificate('foreign'), key: key('foreign leaf') },
} as const;
