import { admission } from './admission.ts';
import { configuration } from './configuration.ts';
import { credentials } from './credentials.ts';
import type { FuzzLaw } from './fuzz-law.ts';
import { leaseLaws } from './lease.ts';
import { mount } from './mount.ts';
import { pem } from './pem.ts';
import { probePorts } from './probes.ts';
import { watchLines } from './watch-lines.ts';

/** Everything that comes from outside, by name, with what holds for it. */
export const fuzzed: Readonly<Record<string, readonly FuzzLaw[]>> = {
  'A configuration': configuration,
  Credentials: credentials,
  'A Lease': leaseLaws,
  'Watch lines': watchLines,
  'A mounted directory': mount,
  'A PEM file': pem,
  'An AdmissionReview': admission,
  'A probe port': probePorts,
};
