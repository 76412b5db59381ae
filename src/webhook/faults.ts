import type { z } from 'zod';

/** What is wrong with a value, on one line: `request.uid: Invalid input: expected string, received undefined; …`. */
export const faults = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
