import type { $ZodError } from 'zod/v4/core';
import english from 'zod/v4/locales/en.js';

/** For `safeParse`: zod's small form has no words of its own. */
export const inWords = { error: english().localeError };

/** What is wrong with a value, on one line: `request.uid: Invalid input: expected string, received undefined; …`. */
export const faults = ({ issues }: $ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
