import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from '../../streams/problem.ts';
import type { AdmissionHandler, HandlerExport } from './admission-types.ts';

const locate = (name: string, directory: string): string => {
  if (name.startsWith('file:')) return name;
  const file = resolve(directory, name);
  if (existsSync(file)) return pathToFileURL(file).href;
  if (/^[./]/.test(name)) throw new Problem(`no such file: ${file}`);
  return pathToFileURL(createRequire(resolve(directory, 'package.json')).resolve(name)).href;
};

/**
 * The handler that WEBHOOK_HANDLER names: a path (absolute, or from `directory`), a file URL, a package that
 * `directory` can reach, or `builtin:allow`, which admits everything.
 *
 * @throws Problem saying what is wrong with it.
 */
export const loadHandler = async (name: string, directory: string): Promise<Route> => {
  if (name === 'builtin:allow') return () => allowAll;
  try {
    const module = (await import(locate(name, directory))) as { readonly default?: unknown };
    return routes(module.default, 'its default export');
  } catch (error) {
    throw new Problem(`WEBHOOK_HANDLER ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Admits everything: `WEBHOOK_HANDLER=builtin:allow`, to try the certificates before there is a handler. */
export const allowAll: AdmissionHandler = () => ({ allowed: true });

/** The handler of a path; undefined where there is none. */
export type Route = (pathname: string) => AdmissionHandler | undefined;

const WANTED = 'expected a function, or an object of path → function';

/**
 * Who answers which path: one function answers all of them.
 *
 * @param given a {@link HandlerExport}, as far as anybody can know of what comes from somebody's module
 * @param named how to call it in a complaint
 * @throws Problem saying what is wrong with it
 */
export const routes = (given: unknown, named: string): Route => {
  if (typeof given === 'function') return () => given as AdmissionHandler;
  const paths = new Map(Object.entries((given ?? {}) as Exclude<HandlerExport, AdmissionHandler>));
  const faulty = [...paths].find(([path, handler]) => !path.startsWith('/') || typeof handler !== 'function');
  if (typeof given !== 'object' || paths.size === 0) throw new Problem(`${named} is no handler: ${WANTED}`);
  if (faulty !== undefined) throw new Problem(`${named} has a wrong entry ${faulty[0]}: ${WANTED}`);
  return (pathname) => paths.get(pathname);
};
