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

export interface LoadOptions {
  /** How long the module may take, ms; null waits for ever. */
  readonly timeoutMs?: number | null;
  /** Called when the module has not loaded within a second: its top-level code may be waiting for something. */
  readonly onSlow?: () => void;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

const SLOW_AFTER_MS = 1_000;

/** Rejects where the module, whose top-level await may never settle, is not loaded in time. */
const inTime = async <T>(loading: Promise<T>, { timeoutMs = null, onSlow, signal }: LoadOptions): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const abort = () => late.reject(new Problem('loading was aborted'));
  const slow = setTimeout(() => onSlow?.(), SLOW_AFTER_MS);
  const reason = () => new Problem(`not loaded within ${Number(timeoutMs) / 1_000} s: its top-level code does not end`);
  const timer = timeoutMs === null ? undefined : setTimeout(() => late.reject(reason()), timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  try {
    return await Promise.race([loading, late.promise]);
  } finally {
    clearTimeout(slow);
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
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
 * @throws Problem with what is wrong with it
 */
export const loadHandler = async (name: string, directory: string, options: LoadOptions = {}): Promise<Route> => {
  if (name === 'builtin:allow') return () => allowAll;
  try {
    const loading = import(locate(name, directory)) as Promise<{ readonly default?: unknown }>;
    return routes(defaultExport(await inTime(loading, options)), 'its default export');
  } catch (error) {
    throw new Problem(`WEBHOOK_HANDLER ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Admits everything: `WEBHOOK_HANDLER=builtin:allow`, to try the certificates before there is a handler. */
export const allowAll: AdmissionHandler = () => ({ allowed: true });

/** Returns the handler of a path; undefined where there is none. */
export type Route = (pathname: string) => AdmissionHandler | undefined;

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
  return (pathname) => paths.get(pathname);
};
