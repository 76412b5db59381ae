import type { WriteResult } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { rfc3339Seconds } from '../util/time.ts';

/** Something the cluster is to be told as a Kubernetes Event. */
export interface Notice {
  readonly about: 'lease' | 'pod';
  readonly type: 'Normal' | 'Warning';
  readonly reason:
    | 'AuthorityIssued'
    | 'CertificateIssued'
    | 'CertificateAnnounced'
    | 'CertificateAdopted'
    | 'CertificateRejected'
    | 'AuthoritiesNarrowed'
    | 'CaBundleContested'
    | 'SecretContested'
    | 'AnnouncementContested'
    | 'WriteRefused';
  /** Notices with the same reason and key are one Event, counted. */
  readonly key: string;
  readonly message: string;
}

/** What is not a target; see repair-of.ts. */
const CONTESTED: Readonly<Record<string, { readonly reason: Notice['reason']; readonly what: string }>> = {
  secret: { reason: 'SecretContested', what: 'The Secret of the certificate' },
  ca: { reason: 'SecretContested', what: 'The Secret of the CA' },
  announcement: { reason: 'AnnouncementContested', what: 'The announcement on this Lease' },
};

const normal = (about: Notice['about'], reason: Notice['reason'], message: string): Notice => ({
  about,
  type: 'Normal',
  reason,
  key: '',
  message,
});

const ofStep = (step: Step, touched: WriteResult | null): Notice | null => {
  switch (step.kind) {
    case 'issue-ca':
      return normal('lease', 'AuthorityIssued', `Made a certificate authority (${step.reason})`);
    case 'issue-leaf': {
      const hash = touched?.object === 'secret' ? touched.state.hash : null;
      return normal('lease', 'CertificateIssued', `Issued certificate ${hash ?? ''} (${step.reason})`);
    }
    case 'announce': {
      const { hash, validUntil } = step.announcement;
      return normal('lease', 'CertificateAnnounced', `Announced certificate ${hash}, valid until ${validUntil}`);
    }
    case 'prune-ca-bundle':
      return normal(
        'lease',
        'AuthoritiesNarrowed',
        'Dropped the older authority: every replica serves the new certificate',
      );
    default:
      return null;
  }
};

const contested = (object: string, otherManager: string | null): Notice => {
  const who =
    otherManager === null ? 'somebody without a field manager' : `field manager ${JSON.stringify(otherManager)}`;
  const { reason, what } = CONTESTED[object] ?? { reason: 'CaBundleContested', what: `caBundle of ${object}` };
  const message = `${what} is rewritten again and again by ${who}; it is repaired once a minute`;
  return { about: 'lease', type: 'Warning', reason, key: object, message };
};

/**
 * What the people of the cluster are told, out of all that happens. What has been told of this replica's own
 * certificate is not told again: a load is tried again and again, and one certificate is verified again with its bundle.
 */
export const eventReasons = (): ((event: ReplicaEvent) => Notice | null) => {
  let adopted: string | null = null;
  let rejected: string | null = null;

  return (event) => {
    if (event.type === 'step/done') return ofStep(event.step, event.touched);
    if (event.type === 'object/contested') return contested(event.object, event.otherManager);
    if (event.type === 'object/refused') {
      const { object, error } = event;
      const message = `The write of ${object} is refused, it is set aside: ${error}`;
      return { about: 'lease', type: 'Warning', reason: 'WriteRefused', key: object, message };
    }
    if (event.type !== 'certificate/concluded') return null;
    const { load } = event;
    if (load.type === 'certificate/served') {
      const { hash, leaf } = load.pair;
      rejected = null;
      if (hash === adopted) return null;
      adopted = hash;
      const until = rfc3339Seconds(leaf.notAfterMs);
      return normal('pod', 'CertificateAdopted', `Serves certificate ${hash}, valid until ${until}`);
    }
    if (load.type !== 'certificate/rejected') return null;
    const message = `Rejected certificate ${load.hash}: ${load.reason}`;
    if (message === rejected) return null;
    rejected = message;
    return { about: 'pod', type: 'Warning', reason: 'CertificateRejected', key: '', message };
  };
};
