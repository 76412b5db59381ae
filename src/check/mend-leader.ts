import type { Denial } from './ask-access.ts';
import type { Evidence } from './evidence.ts';
import { isOptional } from './is-optional.ts';
import { mendAccess } from './mend-access.ts';
import { shellWord } from './shell-word.ts';
import { workloadCommands } from './workload-commands.ts';

/** Leave to create is missed only where something is still to be made. */
const isMissed = ({ lease, secret, authority }: Evidence, { permission, verb }: Denial): boolean => {
  if (isOptional(permission)) return false;
  if (verb !== 'create') return true;
  const looks = permission.resource === 'leases' ? [lease] : [secret, authority];
  return looks.some(({ state }) => state === 'absent');
};

/** What keeps a leader from working is mended first: it does the rest by itself. */
const permissionMend = (evidence: Evidence): string | null => {
  for (const each of evidence.access) {
    const first = each.denials.find((denial) => isMissed(evidence, denial));
    if (first === undefined) continue;
    return mendAccess(
      each,
      each.denials.filter(({ permission }) => permission === first.permission),
    );
  }
  return null;
};

const wakeUp = (evidence: Evidence): string => {
  const missing = permissionMend(evidence);
  if (missing !== null) return missing;
  const pods = workloadCommands.alive(evidence);
  const nobodyMay =
    pods.length > 0 &&
    pods.every(({ containers }) => containers.some(({ env }) => env.get('LEADER_ELECTION') === 'false'));
  return nobodyMay ? workloadCommands.setEnv(evidence, 'LEADER_ELECTION', 'true') : workloadCommands.restart(evidence);
};

/** How something that is the leader's work gets done. */
export const mendLeader = {
  /** There is no leader, or it does not do what it should. */
  wakeUp,
  /** Asks a living leader for a new leaf or a new CA; where there is none, gets one. */
  rotate: (evidence: Evidence, what: 'leaf' | 'ca'): string => {
    const { config, renewal } = evidence;
    if (!renewal.renewed || permissionMend(evidence) !== null) return wakeUp(evidence);
    const lease = shellWord(config.leaseName);
    return `kubectl annotate --overwrite lease ${lease} -n ${config.namespace} ${config.annotationPrefix}/rotate=${what}`;
  },
} as const;
