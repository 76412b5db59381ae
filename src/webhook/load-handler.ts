import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks, stripTypeScriptTypes } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Problem } from '../../streams/problem.ts';
import { messageOf } from '../util/errors.ts';
import type { AdmissionHandler, HandlerExport } from './admission-types.ts';
import { allow, deny, jsonPatch, mutate } from './handler-api.ts';

const locate = (name: string, directory: string): string => {
  if (name.startsWith('file:')) return name;
  const file = resolve(directory, name);
  if (existsSync(file)) return pathToFileURL(file).href;
  if (/^[./]/.test(name)) throw new Problem(`no such file: ${file}`);
  return pathToFileURL(createRequire(resolve(directory, 'package.json')).resolve(name)).href;
};

/** The `module.exports` of a module that tsc compiled to CommonJS carries the default export as a field. */
const defaultExport = ({ default: exported }: { readonly default?: unknown }): unknown => {
  const compiled = exported as { readonly __esModule?: unknown; readonly default?: unknown } | null | undefined;
  return typeof compiled === 'object' && compiled?.__esModule === true ? compiled.default : exported;
};

/**
 * Loads the handler that WEBHOOK_HANDLER names: a path (absolute, or from `directory`), a file URL, a package that
 * `directory` can reach, or `builtin:allow`, which admits everything.
 *
 * @param setting how error messages call it
 * @throws Problem with what is wrong with it
 */
export const loadHandler = async (name: string, directory: string, setting = 'WEBHOOK_HANDLER'): Promise<Route> => {
  if (name === 'builtin:allow') return () => allowAll;
  provideHandlerApi();
  let url = '';
  try {
    url = locate(name, directory);
    const loaded = (await import(url)) as { readonly default?: unknown };
    return routes(defaultExport(loaded), 'its default export');
  } catch (error) {
    const place = error instanceof Problem ? '' : placeText(error, url);
    throw new Problem(`${setting} ${name}: ${messageOf(error)}${place}`);
  }
};

/** Admits everything: `WEBHOOK_HANDLER=builtin:allow`, to try the certificates before there is a handler. */
export const allowAll: AdmissionHandler = () => ({ allowed: true });

/** Returns the handler of a path; undefined where there is none. */
export interface Route {
  (pathname: string): AdmissionHandler | undefined;
  /** The paths that have a handler of their own; absent if one handler answers all. */
  readonly paths?: readonly string[];
}

const EXPECTED = 'expected a function, or an object of path → function';

/**
 * Returns the handler of each path: one function answers all of them.
 *
 * @param exported a {@link HandlerExport}, unless the user's module exports something else
 * @param name how error messages call it
 * @throws Problem with what is wrong with it
 */
export const routes = (exported: unknown, name: string): Route => {
  if (typeof exported === 'function') return () => exported as AdmissionHandler;
  const paths = new Map(Object.entries((exported ?? {}) as Exclude<HandlerExport, AdmissionHandler>));
  const faulty = [...paths].find(([path, handler]) => !path.startsWith('/') || typeof handler !== 'function');
  if (typeof exported !== 'object' || paths.size === 0) throw new Problem(`${name} is no handler: ${EXPECTED}`);
  if (faulty !== undefined) throw new Problem(`${name} has a wrong entry ${faulty[0]}: ${EXPECTED}`);
  return Object.assign((pathname: string) => paths.get(pathname), { paths: [...paths.keys()] });
};

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
const provideHandlerApi = (): void => {
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

const pathOf = (place: string): string => {
  const [, name = '', position = ''] = /^(.*?)((?::\d+)+)$/.exec(place) ?? [];
  return (URL.canParse(name) ? fileURLToPath(name) : name) + position;
};

/**
 * Where the stack says that an error arose: Node writes the place of most syntax errors above the message, and V8 that of
 * any other error below it. Null where that is in Node or in this program.
 */
const placeInStack = ({ stack = '' }: Error): string | null => {
  const lines = stack.split('\n');
  const [first = ''] = lines;
  if (/^(?:file:\/\/)?\/.*:\d+$/.test(first)) return pathOf(first);
  const frame = lines.find((line) => line.startsWith('    at ')) ?? '';
  const place = /[ (]((?:file:\/\/)?\/.*:\d+:\d+)/.exec(frame)?.[1];
  return place === undefined ? null : pathOf(place);
};

/** Node keeps the place of a syntax error in an ES module to itself, so that the file is parsed once more. */
const placeInFile = (url: string): string | null => {
  try {
    const file = fileURLToPath(url);
    stripTypeScriptTypes(readFileSync(file, 'utf8'), { sourceUrl: file });
    return null;
  } catch (error) {
    return error instanceof SyntaxError ? placeInStack(error) : null;
  }
};

/**
 * Says where an error in a module of the user's arose: ` (/app/handler.js:2:26)`, or nothing where that is not known.
 *
 * @param url of the module that was loaded
 */
const placeText = (error: unknown, url: string): string => {
  if (!(error instanceof Error)) return '';
  const place = placeInStack(error) ?? (error instanceof SyntaxError ? placeInFile(url) : null);
  if (place !== null) return ` (${place})`;
  return error instanceof SyntaxError ? ' (in a module that it imports)' : '';
};
