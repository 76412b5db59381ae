import type { CertificateInfo } from '../../streams/model.ts';
import { type Line, line } from '../logging/log-lines.ts';
import type { ReplicaState } from './replica-state.ts';

/** What the lines name of the configuration. */
export interface OwnNames {
  readonly leaseName: string;
  readonly secretName: string;
  readonly serviceName: string;
  readonly namespace: string;
}

/** client-go's electors are called `POD_UUID`; the identity of this program is the name of its Pod. */
const UUID_SUFFIX = /_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const holderLine = ({ leaseName: lease }: OwnNames, holder: string): Line => {
  const own = 'set NAME or LEASE_NAME to a name that no other program uses';
  const remedy = UUID_SUFFIX.test(holder) ? own : `find out why it announces nothing; if it is another program, ${own}`;
  return line('warn', 'lease-held-by-other', { lease, holder, remedy });
};

/**
 * Turns lasting states into log lines that no single event shows: a Lease whose holder announces nothing, as
 * that of another program's leader election, and a mounted certificate that was issued for another Service, as after a
 * change of NAME. Each is logged once.
 *
 * @param leafOf parses the mounted leaf
 */
export const stateLines = (
  names: OwnNames,
  leafOf: (mounted: ReplicaState['mounted']) => CertificateInfo | null,
): ((state: ReplicaState) => readonly Line[]) => {
  const own = `${names.serviceName}.${names.namespace}.svc`;
  let holder: string | null = null;
  let generation: string | null = null;

  const heldByOther = ({ silentHolder }: ReplicaState): readonly Line[] => {
    if (silentHolder?.isLasting !== true || silentHolder.name === holder) return [];
    holder = silentHolder.name;
    return [holderLine(names, holder)];
  };

  // A certificate that is announced is rejected for its names, and that is logged.
  const mountedForOther = ({ mounted, load }: ReplicaState): readonly Line[] => {
    const isWaiting = load?.event.type === 'certificate/unannounced' || load?.event.type === 'certificate/mismatched';
    if (!isWaiting || mounted?.hash == null || mounted.generation === generation) return [];
    generation = mounted.generation;
    const leaf = leafOf(mounted);
    if (leaf === null || leaf.names.length === 0 || leaf.names.includes(own)) return [];
    const changed = 'if NAME, SECRET_NAME or SERVICE_NAME was changed, change it back';
    const remedy = `${changed}, or install under the new names beside this: mount Secret ${names.secretName}`;
    return [line('warn', 'certificate-of-other-name', { names: leaf.names, expected: own, remedy })];
  };

  return (state) => [...heldByOther(state), ...mountedForOther(state)];
};
