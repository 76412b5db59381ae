import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject } from '../../src/dev-cluster/kube-object.ts';
import { decodeFieldsV1, encodeFieldsV1, trackFields } from '../../src/dev-cluster/managed-fields.ts';
import { resourceTypes } from '../../src/dev-cluster/resource-types.ts';

const leases = resourceTypes.find(({ resource }) => resource === 'leases')!;

const lease = (
  annotations: Readonly<Record<string, string>>,
  managedFields?: KubeObject['metadata']['managedFields'],
) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', annotations, ...(managedFields === undefined ? {} : { managedFields }) },
});

describe('embedded/managed-fields', () => {
  it('reads back every set of paths it writes', () => {
    const segment = fc.constantFrom('f:a', 'f:b', 'k:{"name":"c"}', 'f:d/e');
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('\n'));
    fc.assert(
      fc.property(fc.uniqueArray(path), (paths) => {
        expect(decodeFieldsV1(encodeFieldsV1(paths))).to.deep.equal(new Set(paths));
      }),
    );
  });

  it('moves the time of an entry only with its fields', () => {
    const write = (previous: KubeObject | null, next: KubeObject, time: string) =>
      trackFields({ type: leases, previous, next, manager: 'me', time });
    const first = write(null, lease({ a: '1' }), 'T1');
    const second = write(lease({ a: '1' }, first), lease({ a: '2' }), 'T2');
    expect(second.map(({ time }) => time)).to.deep.equal(['T1']);
    const third = write(lease({ a: '2' }, second), lease({ a: '2', b: '1' }), 'T3');
    expect(third.map(({ time }) => time)).to.deep.equal(['T3']);
  });
});
