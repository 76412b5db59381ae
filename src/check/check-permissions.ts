import type { Permission } from '../cluster/permissions.ts';
import { type Access, isOptional } from './access.ts';
import { confineToNamespaces, grantAccess } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

const subjectOf = ({ resource, names }: Permission): string =>
  [resource, ...names.map((name) => `"${name}"`)].join(' ');

const accountName = (user: string | null): string => {
  if (user === null) return 'the user of this check';
  const [, , namespace, name] = user.split(':');
  const isAccount = user.startsWith('system:serviceaccount:') && name !== undefined;
  return isAccount ? `ServiceAccount ${namespace}/${name}` : user;
};

const checkPermission = (access: Access, permission: Permission): CheckResult => {
  const name = `may ${permission.verbs.join(', ')} ${subjectOf(permission)}`;
  const denials = access.denials.filter((each) => each.permission === permission);
  const account = accountName(access.user);
  if (denials.length === 0) return ok(name, '');
  const verbs = [...new Set(denials.map(({ verb }) => verb))].join(', ');
  const names = [...new Set(denials.flatMap((each) => each.name ?? []))].map((each) => `"${each}"`).join(', ');
  const where = permission.namespace === null ? 'at the cluster scope' : `in namespace ${permission.namespace}`;
  const detail = `${account} may not ${verbs} ${permission.resource}${names === '' ? '' : ` ${names}`} ${where}`;
  const report = isOptional(permission) ? warn : fail;
  return report(name, detail, grantAccess(access, permission, denials));
};

/** Checks every permission that a replica uses, by asking the API server's authorizer. */
export const checkPermissions = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { access, accessProblem, config, pods, inReplica } = snapshot;
  if (accessProblem !== null) {
    const remedy = confineToNamespaces(snapshot, accessProblem) ?? `kubectl auth can-i --list -n ${config.namespace}`;
    return [fail('permissions can be reviewed', accessProblem, remedy)];
  }
  const accounts = new Set(
    pods.state === 'there'
      ? pods.value.flatMap(({ serviceAccount }) =>
          serviceAccount === null ? [] : [`system:serviceaccount:${config.namespace}:${serviceAccount}`],
        )
      : [],
  );
  return access.flatMap((each) => {
    const isForeign = !inReplica && each.user !== null && accounts.size > 0 && !accounts.has(each.user);
    if (isForeign) {
      const why = `${accountName(each.user)} may not review the permissions of ${[...accounts].map(accountName).join(', ')}`;
      return [skipped('replicas have their permissions', why)];
    }
    const account = each.user === null ? [] : [ok('permissions are reviewed', `for ${accountName(each.user)}`)];
    const results = each.permissions
      .filter(({ resource }) => config.kubeletNudge || resource !== 'pods/status')
      .map((permission) => checkPermission(each, permission));
    return [...account, ...results];
  });
};
