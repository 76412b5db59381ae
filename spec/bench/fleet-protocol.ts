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

/** What the process of a fleet answers to an order: all of them are ready. */
export interface FleetReply {
  readonly type: 'added';
}

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
