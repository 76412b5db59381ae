import type { WriteResult } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { objectProblems } from '../logging/observation-lines.ts';
import { rfc3339Seconds } from '../util/time.ts';

/** One Kubernetes Event to be recorded. */
export interface RecordedEvent {
  readonly about: 'lease' | 'pod';
  readonly type: 'Normal' | 'Warning';
  readonly reason:
    | 'AuthorityIssued'
    | 'CertificateIssued'
    | 'CertificateCopied'
    | 'SourceUnusable'
    | 'SourceWithoutCa'
    | 'CertificateAnnounced'
    | 'CertificateAdopted'
    | 'CertificateRejected'
    | 'CertificateNotShown'
    | 'AuthoritiesNarrowed'
    | 'CaBundleContested'
    | 'SecretContested'
    | 'AnnouncementContested'
    | 'CertificateUnusable'
    | 'AuthorityUnusable'
    | 'CaBundleUnreadable'
    | 'TargetMissing'
    | 'WriteRefused';
  /** Events with the same reason and key are one Event, counted. */
  readonly key: string;
  readonly message: string;
}

/** Names of contended objects other than targets; see streams/contention.ts. */
const CONTESTED: Readonly<Record<string, { readonly reason: RecordedEvent['reason']; readonly what: string }>> = {
  secret: { reason: 'SecretContested', what: 'The Secret of the certificate' },
  ca: { reason: 'SecretContested', what: 'The Secret of the CA' },
  announcement: { reason: 'AnnouncementContested', what: 'The announcement on this Lease' },
};

const normal = (about: RecordedEvent['about'], reason: RecordedEvent['reason'], message: string): RecordedEvent => ({
  about,
  type: 'Normal',
  reason,
  key: '',
  message,
});

const ofStep = (step: Step, written: WriteResult | null): RecordedEvent | null => {
  switch (step.kind) {
    case 'issue-ca':
      return normal('lease', 'AuthorityIssued', `Made a certificate authority (${step.reason})`);
    case 'issue-leaf': {
      const hash = written?.object === 'secret' ? written.state.hash : null;
      return normal('lease', 'CertificateIssued', `Issued certificate ${hash ?? ''} (${step.reason})`);
    }
    case 'copy-secret':
      return normal('lease', 'CertificateCopied', `Copied certificate ${step.source.hash ?? ''} from SOURCE_SECRET`);
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

const contested = (object: string, otherManager: string | null): RecordedEvent => {
  const writer = otherManager === null ? 'an unnamed field manager' : `field manager ${JSON.stringify(otherManager)}`;
  const { reason, what } = CONTESTED[object] ?? { reason: 'CaBundleContested', what: `caBundle of ${object}` };
  const message = `${what} keeps being overwritten by ${writer}; it is repaired once a minute`;
  return { about: 'lease', type: 'Warning', reason, key: object, message };
};

const OBJECT_PROBLEMS = {
  'foreign-ca': { reason: 'AuthorityUnusable', what: 'The CA in SECRET-ca cannot be used and is not overwritten' },
  'foreign-secret': { reason: 'CertificateUnusable', what: 'The Secret of another party is not overwritten' },
  'unusable-pair': { reason: 'CertificateUnusable', what: 'The certificate in the Secret cannot be used' },
  'partial-bundle': { reason: 'CaBundleUnreadable', what: 'ca.crt of the Secret is readable only in part' },
  'unusable-source': { reason: 'SourceUnusable', what: 'The certificate in SOURCE_SECRET cannot be used' },
  'source-without-ca': {
    reason: 'SourceWithoutCa',
    what: 'SOURCE_SECRET has no ca.crt, the caBundles stay as they are',
  },
  'missing-target': { reason: 'TargetMissing', what: 'A caBundle target cannot be written' },
} as const;

/**
 * Selects the events that are recorded as Kubernetes Events. What has been recorded of this replica's own certificate is
 * not recorded again: a load is retried, and a certificate is verified again when its bundle changes.
 */
export const eventReasons = (): ((event: ReplicaEvent) => RecordedEvent | null) => {
  let adopted: string | null = null;
  let rejected: string | null = null;
  let reported: ReadonlySet<string> = new Set();

  return (event) => {
    if (event.type === 'step/done') return ofStep(event.step, event.touched);
    if (event.type === 'object/contested') return contested(event.object, event.otherManager);
    if (event.type === 'cluster/observed') {
      const problems = objectProblems(event.observed).map((each) => ({ ...each, key: JSON.stringify(each) }));
      const first = problems.find(({ key }) => !reported.has(key));
      // One Event an observation: the others follow with the next ones. A problem that is gone may be reported again.
      const known = problems.filter(({ key }) => reported.has(key) || key === first?.key);
      reported = new Set(known.map(({ key }) => key));
      if (first === undefined) return null;
      const { reason, what } = OBJECT_PROBLEMS[first.problem];
      const why = first.problem === 'missing-target' ? `${first.object} does not exist` : first.reason;
      const message = `${what}: ${why}`;
      return { about: 'lease', type: 'Warning', reason, key: `${first.problem} ${first.object}`, message };
    }
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
    if (load.type === 'certificate/not-shown') {
      const { kind, detail, pair } = load;
      adopted = null;
      const message = `The server in this Pod does not show certificate ${pair.hash}: ${kind}: ${detail}`;
      return { about: 'pod', type: 'Warning', reason: 'CertificateNotShown', key: kind, message };
    }
    if (load.type !== 'certificate/rejected') return null;
    const message = `Rejected certificate ${load.hash}: ${load.reason}`;
    if (message === rejected) return null;
    rejected = message;
    return { about: 'pod', type: 'Warning', reason: 'CertificateRejected', key: '', message };
  };
};
