import { readFileSync } from 'node:fs';

/** How the image starts the daemon. */
export interface Production {
  readonly script: string;
  /** What Node itself is given. */
  readonly nodeFlags: readonly string[];
}

/** The words of the Dockerfile's ENTRYPOINT: Node, its flags, the script. */
export const entrypoint = (): readonly string[] => {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const [, words = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  return JSON.parse(words) as string[];
};
