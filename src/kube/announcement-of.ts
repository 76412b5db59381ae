import type { Announcement } from '../../streams/model.ts';
import { rfc3339 } from './rfc3339.ts';

/** Why the announcement cannot be used. It never quotes a value: an annotation may hold 256 KiB of anything. */
export type MalformedAnnouncement =
  | 'cert-ready is not "true"'
  | 'cert-hash is missing'
  | 'cert-hash is not 64 lower-case hex digits'
  | 'cert-valid-until is missing'
  | 'cert-valid-until is not RFC 3339';

/** The annotations of one announcement as they stand; undefined where there is none. */
export interface AnnouncementTexts {
  readonly ready: string | undefined;
  readonly hash: string | undefined;
  readonly validUntil: string | undefined;
}

export interface AnnouncementReading {
  readonly announcement: Announcement | null;
  readonly malformed: MalformedAnnouncement | null;
}

const hexSha256 = /^[0-9a-f]{64}$/;

/**
 * Reads the announcement out of a Lease's annotations. Upper-case hex is malformed: two spellings of one hash would make
 * `sha256sum` and this system disagree on equality.
 */
export function announcementOf({ ready, hash, validUntil }: AnnouncementTexts): AnnouncementReading {
  const broken = (malformed: MalformedAnnouncement): AnnouncementReading => ({ announcement: null, malformed });

  if (ready === undefined && hash === undefined && validUntil === undefined)
    return { announcement: null, malformed: null };
  if (ready !== 'true') return broken('cert-ready is not "true"');
  if (hash === undefined) return broken('cert-hash is missing');
  if (!hexSha256.test(hash)) return broken('cert-hash is not 64 lower-case hex digits');
  if (validUntil === undefined) return broken('cert-valid-until is missing');
  if (rfc3339(validUntil) === null) return broken('cert-valid-until is not RFC 3339');
  return { announcement: { hash, validUntil }, malformed: null };
}
