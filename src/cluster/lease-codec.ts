import * as z from 'zod/mini';
import type { LeaseChange } from '../../streams/lease-writer.ts';
import type { Announcement, LeaseSnapshot, TrustMark } from '../../streams/model.ts';
import { decodeOrThrow } from '../kube/errors.ts';
import { managedFieldsSchema, otherFieldManager } from '../kube/managed-fields.ts';

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Parses an RFC 3339 time to milliseconds since the epoch; null when it is not one. Date.parse alone also accepts "1",
 * "March 7" and the 30th of February.
 */
const rfc3339 = (text: string): number | null => {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, year, month, day] = match.map(Number);
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const ms = Date.parse(text);
  return Number.isNaN(ms) || Number(day) > daysInMonth ? null : ms;
};

/** metav1.MicroTime: the API server rejects any number of decimals but six. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

/** Why the announcement cannot be used. Never quotes a value: an annotation may hold 256 KiB of anything. */
type MalformedAnnouncement =
  | 'cert-ready is not "true"'
  | 'cert-hash is missing'
  | 'cert-hash is not 64 lower-case hex digits'
  | 'cert-valid-until is missing'
  | 'cert-valid-until is not RFC 3339'
  | `ANNOTATION_PREFIX is ${string}`;

/** The annotations of one announcement; undefined where absent. */
interface AnnouncementTexts {
  readonly ready: string | undefined;
  readonly hash: string | undefined;
  readonly validUntil: string | undefined;
}

interface AnnouncementReading {
  readonly announcement: Announcement | null;
  readonly malformed: MalformedAnnouncement | null;
}

const HEX_SHA256 = /^[0-9a-f]{64}$/;

/**
 * Reads the announcement out of a Lease's annotations. Upper-case hex is malformed: two spellings of one hash would make
 * `sha256sum` and this system disagree on equality.
 */
const announcementOf = ({ ready, hash, validUntil }: AnnouncementTexts): AnnouncementReading => {
  const broken = (malformed: MalformedAnnouncement): AnnouncementReading => ({ announcement: null, malformed });

  if (ready === undefined && hash === undefined && validUntil === undefined)
    return { announcement: null, malformed: null };
  if (ready !== 'true') return broken('cert-ready is not "true"');
  if (hash === undefined) return broken('cert-hash is missing');
  if (!HEX_SHA256.test(hash)) return broken('cert-hash is not 64 lower-case hex digits');
  if (validUntil === undefined) return broken('cert-valid-until is missing');
  if (rfc3339(validUntil) === null) return broken('cert-valid-until is not RFC 3339');
  return { announcement: { hash, validUntil }, malformed: null };
};

/**
 * Duration of a Lease that has none, as kubectl would create one. client-go reads it as 0, expired at once; a longer value
 * keeps two replicas from leading. 15 s is the default of Kubernetes' own components.
 */
const DEFAULT_DURATION_SECONDS = 15;

const specSchema = z.object({
  holderIdentity: z.catch(z.nullable(z.string()), null),
  leaseDurationSeconds: z.catch(z.int().check(z.positive()), DEFAULT_DURATION_SECONDS),
  renewTime: z.catch(z.nullable(z.string()), null),
  leaseTransitions: z.catch(z.int().check(z.nonnegative()), 0),
});
const emptySpec = specSchema.parse({});

type Annotations = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Annotations =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const leaseShape = z.object({
  // Absent from the items of a list.
  kind: z.optional(z.literal('Lease')),
  metadata: z.object({
    uid: z.string().check(z.minLength(1)),
    resourceVersion: z.string().check(z.minLength(1)),
    annotations: z.catch(z.custom<Annotations>(isRecord), {}),
    managedFields: z.optional(z.unknown()),
  }),
  spec: z.catch(specSchema, emptySpec),
});

/** Longer than any valid request (`ca/` and a SHA-256); an annotation may be 256 KiB of anything. */
const MAX_ROTATE_LENGTH = 128;

const prefixProblem = (own: string, other: string): MalformedAnnouncement =>
  `ANNOTATION_PREFIX is ${own}, but the Lease carries an announcement under ${other}`;

interface LeaseSchema {
  parse(object: unknown): LeaseSnapshot;
}

type AnnotatedState = Pick<
  LeaseSnapshot,
  'announcement' | 'malformed' | 'rotate' | 'servedSinceMs' | 'trusted' | 'otherManager'
>;

/** A time, and the fingerprints of the CAs that every caBundle holds since then. */
const trustMarkOf = (text: string): TrustMark | null => {
  const [time = '', ...cas] = text.split(' ');
  const sinceMs = rfc3339(time);
  return sinceMs === null || cas.length === 0 || !cas.every((ca) => HEX_SHA256.test(ca)) ? null : { cas, sinceMs };
};

const annotatedState = (
  [ready, hash, validUntil, rotate, servedSince, trustedSince]: readonly (string | undefined)[],
  otherManager: string | null,
): AnnotatedState => ({
  ...announcementOf({ ready, hash, validUntil }),
  rotate: rotate?.slice(0, MAX_ROTATE_LENGTH) ?? null,
  servedSinceMs: servedSince === undefined ? null : rfc3339(servedSince),
  trusted: trustedSince === undefined ? null : trustMarkOf(trustedSince),
  otherManager: otherManager,
});

/**
 * Reads a Lease. Garbage in its annotations or its spec never throws; a `ApiError` says that it is no Lease.
 *
 * @param annotationPrefix Without the slash: `kubetemplater.io`.
 * @param ourManager The field manager that our own writes go by.
 */
export const leaseSchema = (annotationPrefix: string, ourManager: string): LeaseSchema => {
  const names = ['cert-ready', 'cert-hash', 'cert-valid-until', 'rotate', 'cert-served-since', 'ca-trusted-since'].map(
    (name) => `${annotationPrefix}/${name}`,
  );
  const otherPrefix = (annotations: Annotations): string | null => {
    const [key] =
      Object.entries(annotations).find(
        ([name, text]) => name.endsWith('/cert-hash') && typeof text === 'string' && HEX_SHA256.test(text),
      ) ?? [];
    return key?.slice(0, -'/cert-hash'.length) ?? null;
  };
  // Nearly every event is a renewal, which changes none of the annotations.
  let texts: readonly (string | undefined)[] = [];
  let state = annotatedState(texts, null);
  let announcedUnder: string | null = null;

  const read = (annotations: Annotations, managedFields: unknown): AnnotatedState => {
    const now = names.map((name) => {
      const text = annotations[name];
      return typeof text === 'string' ? text : undefined;
    });
    // An announcement under another prefix means that ANNOTATION_PREFIX was changed on a running installation.
    const other = now.slice(0, 3).every((text) => text === undefined) ? otherPrefix(annotations) : null;
    if (now.every((text, at) => text === texts[at]) && other === announcedUnder) return state;
    texts = now;
    announcedUnder = other;
    const otherManager = otherFieldManager(
      managedFieldsSchema.parse(managedFields),
      ourManager,
      `f:${annotationPrefix}/cert-hash`,
    );
    const read = annotatedState(now, otherManager);
    return (state = other === null ? read : { ...read, malformed: prefixProblem(annotationPrefix, other) });
  };

  const snapshotOf = ({ metadata, spec }: z.infer<typeof leaseShape>): LeaseSnapshot => ({
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    holder: spec.holderIdentity === '' ? null : spec.holderIdentity,
    durationMs: spec.leaseDurationSeconds * 1000,
    renewTime: spec.renewTime,
    transitions: spec.leaseTransitions,
    ...read(metadata.annotations, metadata.managedFields),
  });

  return { parse: (object) => snapshotOf(decodeOrThrow('the Lease', () => leaseShape.parse(object))) };
};

/** The replica that writes the Lease, and its settings. */
interface LeaseAuthor {
  readonly identity: string;
  /** LEASE_DURATION; written in whole seconds, rounded up, at least one. */
  readonly durationMs: number;
  /** Without the slash: `kubetemplater.io`. */
  readonly annotationPrefix: string;
}

/** Fields that a holder writes at each renewal. */
interface HeldSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly renewTime: string;
}

/** Builds the fields of a Lease's spec that claim it for this replica, as of now. */
const heldSpec = ({ identity, durationMs }: LeaseAuthor, nowMs: number): HeldSpec => {
  const leaseDurationSeconds = Math.max(1, Math.ceil(durationMs / 1000));
  return { holderIdentity: identity, leaseDurationSeconds, renewTime: microTime(nowMs) };
};

type Body = Readonly<Record<string, unknown>>;

/** The fields of the Lease that a change is planned on. */
type LeaseBasis = Pick<LeaseSnapshot, 'resourceVersion' | 'holder' | 'transitions'>;

/** `leaseTransitions` is an int32: the API server rejects a larger one, and the Lease could never be claimed. */
const LARGEST_INT32 = 2 ** 31 - 1;

/** Claims the Lease. As in client-go, a change of holder counts as a transition, and a repeated claim does not. */
const claimed = (author: LeaseAuthor, { holder, transitions }: LeaseBasis, nowMs: number): object => {
  if (holder === author.identity) return heldSpec(author, nowMs);
  return {
    ...heldSpec(author, nowMs),
    acquireTime: microTime(nowMs),
    leaseTransitions: Math.min(transitions + 1, LARGEST_INT32),
  };
};

/** Releases the Lease as client-go's ReleaseOnCancel does: without a holder it expires in a second, so that the next replica starts at once (L7). */
const released = (nowMs: number): object => {
  const now = microTime(nowMs);
  return { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
};

const annotationsOf = (change: LeaseChange): Readonly<Record<string, string | null>> | null => {
  switch (change.kind) {
    case 'announce':
      return {
        'cert-ready': 'true',
        'cert-hash': change.announcement.hash,
        'cert-valid-until': change.announcement.validUntil,
        // No replica has been observed serving it yet.
        'cert-served-since': null,
        ...(change.clearsRotationRequest ? { rotate: null } : {}),
      };
    case 'record-served':
      return { 'cert-served-since': change.sinceMs === null ? null : new Date(change.sinceMs).toISOString() };
    case 'record-trusted': {
      const { trusted } = change;
      return { 'ca-trusted-since': [new Date(trusted.sinceMs).toISOString(), ...trusted.cas].join(' ') };
    }
    case 'set-rotation-request':
      return { rotate: change.rotate };
    default:
      return null;
  }
};

const specOf = (author: LeaseAuthor, change: LeaseChange, plannedOn: LeaseBasis, nowMs: number): Body => {
  if (change.kind === 'claim') return { spec: claimed(author, plannedOn, nowMs) };
  if (change.kind === 'renew') return { spec: heldSpec(author, nowMs) };
  return change.kind === 'release' ? { spec: released(nowMs) } : {};
};

/**
 * Builds the body of one change of the Lease, an `application/merge-patch+json`. It carries the resourceVersion it was
 * planned on, so that the API server answers 409 after another write in between (L3), and contains only what it changes, so
 * that other annotations and labels survive.
 */
export const leaseBody = (author: LeaseAuthor, change: LeaseChange, plannedOn: LeaseBasis, nowMs: number): Body => {
  const values = annotationsOf(change);
  const named = Object.entries(values ?? {}).map(([name, value]) => [`${author.annotationPrefix}/${name}`, value]);
  const annotations: Body = values === null ? {} : { annotations: Object.fromEntries(named) as Body };
  return {
    metadata: { resourceVersion: plannedOn.resourceVersion, ...annotations },
    ...specOf(author, change, plannedOn, nowMs),
  };
};
