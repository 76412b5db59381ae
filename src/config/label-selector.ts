import { parsed, type Schema } from './parsed.ts';

const name = '[A-Za-z0-9](?:[-\\w.]{0,61}[A-Za-z0-9])?';
const prefix = '[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?';
const key = `(?:${prefix}/)?${name}`;
const value = `(?:${name})?`;
/** Far more than any selector, and little enough to look at comma by comma. */
const longestChars = 4096;

const requirement = new RegExp(
  `^(?:!\\s*${key}|${key}(?:\\s*(?:==?|!=)\\s*${value}|\\s+(?:in|notin)\\s*\\(\\s*${value}\\s*(?:,\\s*${value}\\s*)*\\))?)$`,
);

/** The label selectors of `kubectl -l`; the API server reads them again, here they are only kept from being nonsense. */
export const labelSelector: Schema<string> = parsed(
  'a label selector like app=webhook,tier in (a,b),!canary',
  (text) => {
    if (text.length > longestChars) return undefined;
    // A comma inside the brackets of `in (a,b)` separates values, not requirements.
    const requirements = text.split(/,(?![^(]*\))/).map((each) => each.trim());
    return requirements.every((each) => requirement.test(each)) ? text : undefined;
  },
);
