import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from '../../streams/problem.ts';
import { allowAll } from './allow-all.ts';
import { routes, type Route } from './routes.ts';

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
