import type { CertificateInfo, LeaseSnapshot, Replica } from '../../streams/model.ts';
import type {
  CaState,
  IssuancePolicy,
  Observed,
  OwnObject,
  PlannerInput,
  SecretState,
  Target,
  TargetState,
} from '../../streams/planner-input.ts';
import { leaseOf } from './lease-of.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const nowMs = 20_000 * DAY_MS;

/**
 * A cluster in a few words. A capital is a CA, `a2` is the second leaf of CA A, and also its hash. X is a CA of somebody
 * else, who wrote it where it stands.
 */
export interface Sketch {
  /** SECRET-ca: `B+A` signs with B and trusts both; `B:` has no bundle yet; `/A` signs with nothing but trusts A; `B+A crossed`: A has signed B. */
  readonly ca?: string;
  /** Secret: `a1:B+A` serves leaf a1, trusts both; `a1:A broken`; `a1:A nameless` lacks a name; `x1:X foreign` is another party's; `no leaf` is empty. */
  readonly secret?: string;
  /** SOURCE_SECRET, as `secret`; absent for an issuer that reads none. */
  readonly source?: string;
  /** Each caBundle: `B+A`, `B+A held`, `B+A refused` for one that refuses writes, `~` for one whose list fails, `0` for an empty one; `A|B` are two fields of one object. */
  readonly targets?: readonly string[];
  /** What is announced: a leaf. */
  readonly said?: string;
  /** What each replica says it serves: `a1`; `-` says nothing; `a1+` is gone in a minute. */
  readonly pods?: string;
  /** How many minutes ago every replica was seen serving it. */
  readonly servedMinutes?: number;
  readonly rotate?: string;
  /** The CAs that every caBundle holds, `B` or `B+C`, and for how long by the Lease. */
  readonly trusted?: { readonly cas: string; readonly forMs: number };
  /** What is not written for now: `secret ca announcement`. */
  readonly paused?: string;
  /** Days until the end of a certificate, where it is not 3000 for a CA and 300 for a leaf. */
  readonly daysLeft?: Readonly<Record<string, number>>;
}

const ABSENT = { '-': 'absent', '?': 'pending', '!': 'forbidden' } as const;

/** A target whose list fails. */
const UNREADABLE = '~';

const known = <T>(word: string, state: () => T): Observed<T> =>
  Object.hasOwn(ABSENT, word) ? ABSENT[word as keyof typeof ABSENT] : state();

const certificate = (name: string, daysLeft: Sketch['daysLeft'] = {}): CertificateInfo => {
  const isCa = name === name.toUpperCase();
  const left = daysLeft[name] ?? (isCa ? 3_000 : 300);
  return {
    fingerprint: name,
    subject: `CN=${name}`,
    serial: '01',
    notBeforeMs: nowMs - (isCa ? 600 : 60) * DAY_MS,
    notAfterMs: nowMs + left * DAY_MS,
    names: isCa ? [] : ['svc.ns', 'svc.ns.svc'],
    pem: `PEM of ${name}`,
  };
};

const certificates = (names: string, daysLeft?: Sketch['daysLeft']): readonly CertificateInfo[] =>
  names.split('+').flatMap((name) => (name === '' || name === '0' ? [] : [certificate(name, daysLeft)]));

const authority = (sketch: string, daysLeft?: Sketch['daysLeft'], resourceVersion = '1'): CaState => {
  const unusable = sketch.startsWith('/');
  const bundle = certificates(sketch.replace('/', ''), daysLeft);
  if (unusable) return { resourceVersion, current: null, bundle, otherManager: null };
  if (sketch === 'foreign')
    return { resourceVersion, current: null, bundle: [], otherManager: null, foreign: 'its key is encrypted' };
  if (sketch.startsWith('own ')) return { ...authority(sketch.slice(4), daysLeft, resourceVersion), isOwn: true };
  if (sketch.endsWith(' crossed')) {
    const plain = authority(sketch.replace(' crossed', ''), daysLeft, resourceVersion);
    return { ...plain, crossSignedBy: plain.bundle.slice(1).map(({ fingerprint }) => fingerprint) };
  }
  if (sketch.endsWith(':'))
    return { resourceVersion, current: certificate(sketch.slice(0, -1), daysLeft), bundle: [], otherManager: null };
  return { resourceVersion, current: bundle[0]!, bundle, otherManager: null };
};

const secret = (sketch: string, daysLeft?: Sketch['daysLeft'], resourceVersion = '1'): SecretState => {
  if (sketch === 'no leaf') {
    return {
      resourceVersion,
      hash: null,
      leaf: null,
      validUntil: '',
      issuer: null,
      trust: [],
      problem: null,
      otherManager: null,
    };
  }
  const [hash, trusted = '', flaw] = sketch.split(/[: ]/) as [string, string?, string?];
  const leaf = certificate(hash, daysLeft);
  const trust = certificates(trusted, daysLeft);
  const signer = hash.slice(0, 1).toUpperCase();
  const selfSigned = hash === hash.toUpperCase();
  return {
    resourceVersion,
    hash,
    leaf: flaw === 'nameless' ? { ...leaf, names: ['svc.ns'] } : leaf,
    validUntil: `the end of ${hash}`,
    issuer: selfSigned || trust.some(({ fingerprint }) => fingerprint === signer) ? signer : null,
    trust,
    problem: flaw === 'broken' ? 'key of another certificate' : null,
    ...(flaw === 'foreign' ? { foreign: 'it is not for this Service' } : {}),
    ...(flaw === 'unreadable' ? { trustProblems: ['ca.crt: PEM block 1 is cut off'] } : {}),
    otherManager: null,
  };
};

const targetState = (sketch: string, daysLeft?: Sketch['daysLeft'], resourceVersion = '1'): TargetState => ({
  resourceVersion,
  bundles: sketch === 'no field' ? [] : sketch.split('|').map((names) => certificates(names, daysLeft)),
  otherManager: sketch.includes('X') ? 'somebody-else' : null,
});

const target = (id: string, sketch: string, daysLeft?: Sketch['daysLeft']): Target => {
  const names = sketch.replace(/ (?:held|refused)$/, '');
  const refused = sketch.endsWith(' refused') ? { refused: 'invalid' } : {};
  return {
    id,
    held: names !== sketch,
    ...refused,
    state: names === UNREADABLE ? 'unreadable' : known(names, () => targetState(names, daysLeft)),
  };
};

const replicas = (pods: string): PlannerInput['replicas'] => {
  const word = known(pods, () => null);
  if (word === 'pending' || word === 'forbidden') return word;
  return pods.split(' ').map((pod, at): Replica => {
    const hash = pod.replace(/\+$/, '');
    return {
      name: `pod-${at}`,
      servingHash: hash === '-' ? null : hash,
      goneAtMs: pod.endsWith('+') ? nowMs + MINUTE_MS : null,
    };
  });
};

const lease = ({ said, servedMinutes, rotate, trusted }: Sketch = {}): LeaseSnapshot =>
  leaseOf(said ?? null, {
    holder: 'pod-0',
    announcement: said === undefined ? null : { hash: said, validUntil: `the end of ${said}` },
    servedSinceMs: servedMinutes === undefined ? null : nowMs - servedMinutes * MINUTE_MS,
    rotate: rotate ?? null,
    trusted: trusted === undefined ? null : { cas: trusted.cas.split('+'), sinceMs: nowMs - trusted.forMs },
  });

/** Makers of what a leader sees, from a few words each. */
export const clusterOf = {
  nowMs,
  dayMs: DAY_MS,
  minuteMs: MINUTE_MS,
  certificate,
  certificates,
  secret,
  authority,
  target,
  targetState,
  replicas,
  lease,
  /** An overlap of one hour, no time to settle, renewal 30 days before the end of a leaf and 365 before that of a CA. */
  policy: {
    identity: 'pod-0',
    names: ['svc.ns', 'svc.ns.svc'],
    renewBeforeMs: 30 * DAY_MS,
    caRenewBeforeMs: 365 * DAY_MS,
    caOverlapMs: 60 * MINUTE_MS,
    trustSettleMs: 0,
  } satisfies IssuancePolicy,
  /** Unless it says otherwise: nothing exists, one target without a caBundle, one replica that serves nothing. */
  observed: (sketch: Sketch): PlannerInput => ({
    lease: lease(sketch),
    secret: known(sketch.secret ?? '-', () => secret(sketch.secret ?? '', sketch.daysLeft)),
    ca: known(sketch.ca ?? '-', () => authority(sketch.ca ?? '', sketch.daysLeft)),
    ...(sketch.source === undefined
      ? {}
      : { source: known(sketch.source, () => secret(sketch.source ?? '', sketch.daysLeft)) }),
    targets: (sketch.targets ?? ['0']).map((words, at) => target(`target-${at}`, words, sketch.daysLeft)),
    replicas: replicas(sketch.pods ?? '-'),
    ...(sketch.paused === undefined ? {} : { paused: new Set(sketch.paused.split(' ') as OwnObject[]) }),
  }),
};
