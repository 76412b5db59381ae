import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { PlantedBug } from './planted-bugs.ts';
import type { runHistory } from './run-history.ts';

type RunHistory = typeof runHistory;

const ROOT = new URL('../../', import.meta.url).href;
const QUERY = '?planted=';

/** What is changed in the sources, and how it is called. */
type Planted = Pick<PlantedBug, 'name' | 'changes'>;

/** By the number in the query of a module that has the bug. */
const planted: Planted[] = [];

const patched = (source: string, file: string, { name, changes }: Planted): string =>
  changes
    .filter((change) => change.file === file)
    .reduce((text, { find, replace }) => {
      if (!text.includes(find)) throw new Error(`"${name}" finds nothing to change in ${file}: ${find}`);
      return text.replace(find, replace);
    }, source);

let hooked = false;
/** Whatever a module with a planted bug imports of this repository, it imports with the bug too. */
const hook = (): void => {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      const query = context.parentURL?.split(QUERY)[1];
      const isOurs = resolved.url.startsWith(ROOT) && !resolved.url.includes('/node_modules/');
      if (query === undefined || !isOurs || resolved.url.includes(QUERY)) return resolved;
      return { ...resolved, url: `${resolved.url}${QUERY}${query}` };
    },
    load: (url, context, next) => {
      const [plain, at] = url.split(QUERY);
      const bug = at === undefined ? undefined : planted[Number(at)];
      if (plain === undefined || bug === undefined) return next(url, context);
      const source = patched(readFileSync(fileURLToPath(plain), 'utf8'), plain.slice(ROOT.length), bug);
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
};

/** A module of this repository with that bug in it and in all that it imports; everything else about it is as ever. */
export const plantedModule = (bug: Planted, file: URL): Promise<unknown> => {
  hook();
  if (!planted.includes(bug)) planted.push(bug);
  return import(`${file.href}${QUERY}${planted.indexOf(bug)}`);
};

/** The simulation with that bug in it. */
export const withPlantedBug = async (bug: PlantedBug): Promise<RunHistory> => {
  const module = await plantedModule(bug, new URL('./run-history.ts', import.meta.url));
  return (module as { readonly runHistory: RunHistory }).runHistory;
};
