import type { CertificateFacts } from '../../streams/model.ts';
import type { Observation } from '../../streams/observe-cluster.ts';

/** How things stood when a rotation was asked for. */
export interface RotationStart {
  /** The CA too, not only the leaf. */
  readonly ca: boolean;
  readonly hash: string | null;
  /** Fingerprint of the CA to be replaced; null when it could not be read. */
  readonly authority: string | null;
  /** What each caBundle target trusted. */
  readonly trusted: ReadonlyMap<string, readonly CertificateFacts[]>;
  /** The Lease's renewTime: somebody leads as long as it changes. */
  readonly renewTime: string | null;
}

/** @param rotate the request as it stands on the Lease now: one already begun names the CA that it replaces */
export const rotationStart = ({ lease, authority, targets }: Observation, rotate: string | null): RotationStart => ({
  ca: rotate !== 'leaf',
  hash: lease.announcement?.hash ?? null,
  authority: rotate?.startsWith('ca/')
    ? rotate.slice('ca/'.length)
    : typeof authority === 'string'
      ? null
      : (authority.current?.fingerprint ?? null),
  trusted: new Map(targets.map(({ id, state }) => [id, typeof state === 'string' ? [] : state.bundles.flat()])),
  renewTime: lease.renewTime,
});
