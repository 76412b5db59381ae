import { $ZodError } from 'zod/v4/core';
import { KubeProblem } from './kube-problem.ts';

/** Where and how an answer is not what it should be, without its values. */
function faultsOf({ issues }: $ZodError): string {
  return issues
    .slice(0, 3)
    .map(({ path, code }) => `${path.map(String).join('.') || 'the whole'} (${code})`)
    .join(', ');
}

/** Runs `read`; an answer that does not have the expected shape becomes a {@link KubeProblem}, anything else passes. */
export function understand<T>(subject: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof $ZodError)) throw error;
    throw new KubeProblem(`${subject}: answered something else than expected at ${faultsOf(error)}`);
  }
}
