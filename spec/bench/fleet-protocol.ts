/** Replicas of one installation that a fleet is to hold. */
export interface FleetOrder {
  /** Variables that all of them have; POD_NAME is each one's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Holds `token` and `ca.crt`. */
  readonly account: string;
}

/** What the process of a fleet is asked. */
export type FleetAsked =
  | ({ readonly type: 'add' } & FleetOrder)
  /** To tell when each of them has seen this hash announced. */
  | { readonly type: 'expect'; readonly hash: string }
  | { readonly type: 'measure' };

export type FleetReply =
  /** All of them are ready. */
  | { readonly type: 'added' }
  | { readonly type: 'expecting' }
  /** Ms since the epoch, one for each replica. */
  | { readonly type: 'seen'; readonly atMs: readonly number[] }
  | { readonly type: 'measured'; readonly rssMiB: number };

export interface FleetLease {
  readonly collection: string;
  readonly name: string;
  readonly path: string;
}

/** The Lease of a fleet, under the daemon's default name. */
export const leaseOf = (namespace: string): FleetLease => {
  const [collection, name] = [`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, '8377a775.my.company.com'];
  return { collection, name, path: `${collection}/${name}` };
};
