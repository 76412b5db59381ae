import { registerHooks } from 'node:module';
import { allow, deny, jsonPatch, mutate } from './handler-api.ts';

/** What handler modules import. */
const SPECIFIER = 'webhook-certd/handler';

const PROVIDED_URL = 'webhook-certd:handler';

/** Where the provided module finds the helpers of this process. */
const HELPERS = Symbol.for('webhook-certd.handler');

const SOURCE = `export const { allow, deny, jsonPatch, mutate } = globalThis[Symbol.for('${HELPERS.description ?? ''}')];\n`;

/**
 * Lets modules import `webhook-certd/handler` where the package is not installed: in the image, or in a folder without
 * node_modules. An installed package takes precedence. Calling it again changes nothing.
 */
export const provideHandlerApi = (): void => {
  if (HELPERS in globalThis) return;
  Object.assign(globalThis, { [HELPERS]: { allow, deny, jsonPatch, mutate } });
  registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier !== SPECIFIER) return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        return { url: PROVIDED_URL, format: 'module', shortCircuit: true };
      }
    },
    load: (url, context, next) =>
      url === PROVIDED_URL ? { format: 'module', source: SOURCE, shortCircuit: true } : next(url, context),
  });
};
