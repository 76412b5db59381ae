import type { Permission } from '../cluster/permissions.ts';
import { type Access, isOptional } from './access.ts';
import { grantAccess, scopeRemedy } from './remedies.ts';
import { type CheckResult, result } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

const subjectOf = ({ resource, names }: Permission): string =>
  [resource, ...names.map((name) => `"${name}"`)].join(' ');

const called = (user: string | null): string => {
  const [, , namespace, name] = user?.split(':') ?? [];
  if (user?.startsWith('system:serviceaccount:') && name !== undefined) return `ServiceAccount ${namespace}/${name}`;
  return user ?? 'whoever runs this check';
};

const judgePermission = (access: Access, permission: Permission): CheckResult => {
  const name = `may ${permission.verbs.join(', ')} ${subjectOf(permission)}`;
  const denials = access.denials.filter((each) => each.permission === permission);
  const who = called(access.user);
  if (denials.length === 0) return result.ok(name, '');
  const verbs = [...new Set(denials.map(({ verb }) => verb))].join(', ');
  const names = [...new Set(denials.flatMap((each) => each.name ?? []))].map((each) => `"${each}"`).join(', ');
  const where = permission.namespace === null ? 'at the cluster scope' : `in namespace ${permission.namespace}`;
  const what = `${who} may not ${verbs} ${permission.resource}${names === '' ? '' : ` ${names}`} ${where}`;
  const say = isOptional(permission) ? result.warn : result.fail;
  return say(name, what, grantAccess(access, denials));
};

/** Every permission that a replica uses, asked of the API server's own authorizer. */
export const checkPermissions = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const { access, accessProblem, config, pods, inReplica } = evidence;
  if (accessProblem !== null) {
    const remedy = scopeRemedy(evidence, accessProblem) ?? `kubectl auth can-i --list -n ${config.namespace}`;
    return [result.fail('permissions can be asked about', accessProblem, remedy)];
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
      const why = `${called(each.user)} may not ask what ${[...accounts].map(called).join(', ')} may do`;
      return [result.skipped('replicas have their permissions', why)];
    }
    const whose = each.user === null ? [] : [result.ok('permissions are looked up', `for ${called(each.user)}`)];
    const asked = each.permissions
      .filter(({ resource }) => config.kubeletNudge || resource !== 'pods/status')
      .map((permission) => judgePermission(each, permission));
    return [...whose, ...asked];
  });
};
