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
