import type { Manifest } from './rendered.ts';

interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A role as single grants, `namespace group/resource/name verb`, so that two ways of writing the same compare equal. */
export const grants = (role: Manifest): readonly string[] => {
  const scope = (role.at('metadata', 'namespace') as string | undefined) ?? 'cluster';
  const rules = (role.at('rules') as unknown as readonly RbacRule[] | undefined) ?? [];
  return rules.flatMap(({ apiGroups, resources, resourceNames = ['*'], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => `${scope} ${group}/${resource}/${name} ${verb}`)),
      ),
    ),
  );
};
