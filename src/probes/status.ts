/** `/status`: how things stand with one replica. An absent part is null. Nothing secret is in it. */
export interface Status {
  readonly role: 'leader' | 'candidate' | 'follower';
  readonly identity: string;
  /** Who holds the Lease. */
  readonly leader: string | null;
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reasons: readonly string[];
  readonly announced: { readonly hash: string; readonly validUntil: string } | null;
  readonly mounted: { readonly hash: string } | null;
  readonly served: {
    readonly hash: string;
    readonly serial: string;
    /** RFC 3339 in UTC, as all times here. */
    readonly notBefore: string;
    readonly notAfter: string;
    readonly names: readonly string[];
  } | null;
  readonly watch: { readonly state: 'connecting' | 'established' | 'closed' | 'failed'; readonly since: string };
  /** The certificates that callers are to trust what is served by. */
  readonly bundle: readonly { readonly subject: string; readonly notAfter: string }[] | null;
  /** Only the leader looks at them. */
  readonly replicas: readonly { readonly name: string; readonly servingHash: string | null }[] | null;
}
