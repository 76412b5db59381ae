import { readFileSync } from 'node:fs';

/** How the image starts the daemon. */
export interface Production {
  readonly script: string;
  /** What Node itself is given. */
  readonly nodeFlags: readonly string[];
}

/**
 * The heap that Node takes under the Deployment's memory limit (manifests/base/deployment.yaml, seen in a cgroup of 256 MiB).
 * It takes 4 GiB on a machine without a limit, and V8 then lets what is in use grow fourfold before it looks for garbage.
 */
export const containedHeap = '--max-heap-size=262';

const dockerfile = (): string => readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

/** The words of the Dockerfile's ENTRYPOINT: Node, its flags, the script. */
export const entrypoint = (): readonly string[] => {
  const [, words = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile()) ?? [];
  return JSON.parse(words) as string[];
};

/** What the image's ENV sets beside the PATH. */
export const imageEnv = (): Readonly<Record<string, string>> => {
  const words = [...dockerfile().matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
  const pairs = words.map((word): [string, string] => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]);
  return Object.fromEntries(pairs.filter(([name]) => name !== 'PATH'));
};
