import type { Observed } from './cluster-state.ts';
import type { CertificateFacts } from './model.ts';
import type { Step } from './step.ts';

/** What a write gives to one object. To give an object the same twice is a repair: somebody else has taken it away. */
export interface Repair {
  /** `TYPE/NAME` of a target, else `secret`, `authority` (SECRET-ca) or `announcement`. */
  readonly object: string;
  readonly given: string;
  /** The field manager other than us that wrote it last, as far as anybody can tell. */
  readonly rival: string | null;
}

const setOf = (certificates: readonly CertificateFacts[]): string =>
  certificates
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join();

/** Null for what replicas and people cause by themselves: marks that follow the acknowledgements, answered requests. */
export const repairOf = (step: Step, { secret, lease }: Observed): Repair | null => {
  switch (step.kind) {
    case 'inject':
      return { object: step.target, given: setOf(step.trust), rival: step.basis.rival };
    case 'issue-authority': {
      const { basis, reason } = step;
      if (basis === 'absent') return { object: 'authority', given: reason, rival: null };
      return { object: 'authority', given: `${reason} ${basis.current?.fingerprint ?? ''}`, rival: basis.rival };
    }
    case 'adopt-authority':
    case 'narrow-authority':
      return { object: 'authority', given: `${step.kind} ${setOf(step.keep)}`, rival: step.basis.rival };
    case 'issue-leaf': {
      const { authority, basis, reason } = step;
      const due = reason === 'requested' || reason === 'expiring';
      // A leaf whose time has come is replaced once; whatever else is wrong is mended once under each CA.
      const given = due && basis !== 'absent' ? basis.hash : authority.current?.fingerprint;
      return { object: 'secret', given: `${reason} ${given ?? ''}`, rival: basis === 'absent' ? null : basis.rival };
    }
    case 'publish-trust':
      return { object: 'secret', given: `trust ${setOf(step.trust)}`, rival: step.basis.rival };
    case 'announce': {
      // An issuer that goes back to an earlier certificate writes the Secret to do so.
      const version = typeof secret === 'string' ? '' : secret.resourceVersion;
      return { object: 'announcement', given: `${step.announcement.hash} ${version}`, rival: lease.rival };
    }
    default:
      return null;
  }
};
