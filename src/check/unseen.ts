import type { Look } from './look.ts';
import { shellWord } from './shell-word.ts';
import { verdict } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** What is to be said of something that could not be looked at. That a replica may not is a fault of its permissions. */
export const unseen = (
  name: string,
  look: Exclude<Look<unknown>, { readonly state: 'there' }>,
  path: string,
): Verdict =>
  look.state === 'forbidden'
    ? verdict.skipped(name, `it must not be read from here: ${look.why}`)
    : verdict.fail(name, look.why, `kubectl get --raw ${shellWord(path)}`);
