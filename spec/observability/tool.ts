import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Debian's package of each program. */
const PACKAGES = { promtool: 'prometheus', prometheus: 'prometheus', chromium: 'chromium' } as const;

export type Tool = keyof typeof PACKAGES;

/**
 * Where a program is.
 *
 * @throws Error that says how to come by it: nothing here is skipped
 */
export const tool = async (name: Tool): Promise<string> => {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(`${name} is not installed: apt-get install ${PACKAGES[name]}`);
};
