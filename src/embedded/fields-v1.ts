import type { JsonObject } from './kube-object.ts';

interface Tree {
  [segment: string]: Tree;
}

const encode = (paths: Iterable<string>): JsonObject => {
  const members = new Set(paths);
  const root: Tree = {};
  for (const path of [...members].sort()) {
    path.split('\n').reduce<Tree>((node, segment) => (node[segment] ??= {}), root);
  }
  const withDots = (node: Tree, path: string): Tree => {
    const below = Object.entries(node).map(
      ([segment, child]) => [segment, withDots(child, path === '' ? segment : `${path}\n${segment}`)] as const,
    );
    const own = members.has(path) && below.length > 0 ? [['.', {}] as const] : [];
    return Object.fromEntries([...own, ...below]);
  };
  return withDots(root, '');
};

const decode = (fields: JsonObject, path = ''): ReadonlySet<string> => {
  const entries = Object.entries(fields as Tree);
  if (path !== '' && entries.length === 0) return new Set([path]);
  const below = entries.map(([segment, child]) =>
    segment === '.' ? new Set([path]) : decode(child, path === '' ? segment : `${path}\n${segment}`),
  );
  return new Set(below.flatMap((each) => [...each]));
};

/** Sets of field paths (segments joined by a line break) as Kubernetes writes them: `.` is the part itself. */
export const fieldsV1 = { encode, decode };
