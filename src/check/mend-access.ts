import type { Access, Denial } from './ask-access.ts';
import { shellWord } from './shell-word.ts';

const subjectFlag = (user: string): string => {
  const [, , namespace, name] = user.split(':');
  const isAccount = user.startsWith('system:serviceaccount:') && name !== undefined;
  return isAccount ? `--serviceaccount=${namespace}:${name}` : `--user=${shellWord(user)}`;
};

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

/**
 * Grants what one permission lacks, as a role of its own: existing roles are somebody's manifests.
 *
 * @param denials of one and the same permission, at least one
 */
export const mendAccess = ({ user }: Pick<Access, 'user'>, denials: readonly Denial[]): string => {
  const [{ permission } = { permission: null }] = denials;
  if (permission === null) return '';
  const { apiGroup, resource, namespace } = permission;
  const verbs = unique(denials.map(({ verb }) => verb));
  const names = unique(denials.flatMap(({ name }) => name ?? []));
  const scope = namespace === null ? '' : ` -n ${namespace}`;
  const qualified = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
  if (user === null) return `kubectl auth can-i --list${scope}`;

  const kind = namespace === null ? 'clusterrole' : 'role';
  const called = `webhook-certd-${verbs.join('-')}-${resource.replace('/', '-')}`;
  const role = [
    `kubectl create ${kind} ${called}${scope}`,
    `--verb=${verbs.join(',')}`,
    `--resource=${qualified}`,
    ...names.map((name) => `--resource-name=${shellWord(name)}`),
  ].join(' ');
  return `${role} && kubectl create ${kind}binding ${called}${scope} --${kind}=${called} ${subjectFlag(user)}`;
};
