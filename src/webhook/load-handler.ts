import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from '../../streams/problem.ts';
import { messageOf } from '../util/errors.ts';
import type { AdmissionHandler, HandlerExport } from './admission-types.ts';
import { placeText } from './error-place.ts';
import { provideHandlerApi } from './provide-handler-api.ts';

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
