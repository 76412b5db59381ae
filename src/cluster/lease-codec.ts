import * as z from 'zod/mini';
import type { LeaseChange } from '../../streams/lease-writer.ts';
import type { Announcement, LeaseSnapshot } from '../../streams/model.ts';
import { decodeOrThrow } from '../kube/errors.ts';
import { managedFieldsSchema, otherFieldManager } from '../kube/managed-fields.ts';

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/**
 * An RFC 3339 time to milliseconds since the epoch, null when it is not one. Date.parse alone also takes
 * "1", "March 7" and the 30th of February.
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

/** Why the announcement cannot be used. It never quotes a value: an annotation may hold 256 KiB of anything. */
type MalformedAnnouncement =
  | 'cert-ready is not "true"'
  | 'cert-hash is missing'
  | 'cert-hash is not 64 lower-case hex digits'
  | 'cert-valid-until is missing'
  | 'cert-valid-until is not RFC 3339';

/** The annotations of one announcement as they stand; undefined where there is none. */
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
 * For a Lease that names no duration, as kubectl would create one. client-go reads it as 0, expired at once; erring on
 * the long side is what keeps two replicas from leading. 15 s is the default of Kubernetes' own components.
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

/** Longer than anything asked for here (`ca/` and a SHA-256); an annotation may be 256 KiB of anything. */
const LONGEST_ROTATE = 128;

interface LeaseSchema {
  parse(object: unknown): LeaseSnapshot;
}

type Told = Pick<LeaseSnapshot, 'announcement' | 'malformed' | 'rotate' | 'servedSinceMs' | 'otherManager'>;

const toldBy = (
  [ready, hash, validUntil, rotate, servedSince]: readonly (string | undefined)[],
  otherManager: string | null,
): Told => ({
  ...announcementOf({ ready, hash, validUntil }),
  rotate: rotate?.slice(0, LONGEST_ROTATE) ?? null,
  servedSinceMs: servedSince === undefined ? null : rfc3339(servedSince),
  otherManager: otherManager,
});

/**
 * Reads a Lease. Garbage in its annotations or its spec never throws; a `KubeProblem` says that it is not a Lease at all.
 *
 * @param annotationPrefix Without the slash: `kubetemplater.io`.
 * @param ourManager The field manager that our own writes go by.
 */
export const leaseSchema = (annotationPrefix: string, ourManager: string): LeaseSchema => {
  const names = ['cert-ready', 'cert-hash', 'cert-valid-until', 'rotate', 'cert-served-since'].map(
    (name) => `${annotationPrefix}/${name}`,
  );
  // A renewal, which is what nearly every event is, leaves all of them alone.
  let texts: readonly (string | undefined)[] = [];
  let told = toldBy(texts, null);

  const read = (annotations: Annotations, managedFields: unknown): Told => {
    const now = names.map((name) => {
      const text = annotations[name];
      return typeof text === 'string' ? text : undefined;
    });
    if (now.every((text, at) => text === texts[at])) return told;
    texts = now;
    const otherManager = otherFieldManager(
      managedFieldsSchema.parse(managedFields),
      ourManager,
      `f:${annotationPrefix}/cert-hash`,
    );
    return (told = toldBy(now, otherManager));
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

/** Who writes the Lease, and how. */
interface LeaseAuthor {
  readonly identity: string;
  /** LEASE_DURATION; written in whole seconds, rounded up, at least one. */
  readonly durationMs: number;
  /** Without the slash: `kubetemplater.io`. */
  readonly annotationPrefix: string;
}

/** What a holder writes at each renewal. */
interface HeldSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly renewTime: string;
}

/** The part of a Lease's spec that says: ours, as of now. */
const heldSpec = ({ identity, durationMs }: LeaseAuthor, nowMs: number): HeldSpec => {
  const leaseDurationSeconds = Math.max(1, Math.ceil(durationMs / 1000));
  return { holderIdentity: identity, leaseDurationSeconds, renewTime: microTime(nowMs) };
};

type Body = Readonly<Record<string, unknown>>;

/** As much of the Lease as a change is decided on. */
type LeaseBasis = Pick<LeaseSnapshot, 'resourceVersion' | 'holder' | 'transitions'>;

/** `leaseTransitions` is an int32: the API server rejects a larger one, and the Lease could never be claimed. */
const LARGEST_INT32 = 2 ** 31 - 1;

/** As in client-go, taking it from somebody (or nobody) counts as a transition, and taking it again does not. */
const claimed = (author: LeaseAuthor, { holder, transitions }: LeaseBasis, nowMs: number): object => {
  if (holder === author.identity) return heldSpec(author, nowMs);
  return {
    ...heldSpec(author, nowMs),
    acquireTime: microTime(nowMs),
    leaseTransitions: Math.min(transitions + 1, LARGEST_INT32),
  };
};

/** As client-go's ReleaseOnCancel: nobody holds it and it lapses in a second, so that the next one starts at once. */
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
        // Nobody has been seen serving it yet.
        'cert-served-since': null,
        ...(change.clearsRotationRequest ? { rotate: null } : {}),
      };
    case 'record-served':
      return { 'cert-served-since': change.sinceMs === null ? null : new Date(change.sinceMs).toISOString() };
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
 * One change of the Lease as the body of an `application/merge-patch+json`. It carries the resourceVersion it was
 * decided on, so the API server answers 409 when somebody wrote in between, and names only what it changes, so foreign
 * annotations and labels survive.
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
