import { issuers } from '../../streams/issuers.ts';
import { leaseAfter } from './lease-after.ts';
import type { Setting } from './setting.ts';

/** So old is what stands at the beginning, ms. */
const AGE_MS = 24 * 3_600_000;

/** What stands in the cluster when a history begins: the targets, and perhaps all that an earlier fleet left behind. */
export const standingObjects = ({ api, clocks, pki, scenario, views }: Setting): void => {
  const { policy, standing, targets } = scenario;
  const write = (name: string) => ({ by: 'beginning', name, why: 'standing' });
  const nowMs = clocks.trueMs();
  const issuedMs = nowMs - AGE_MS;
  const ca = standing === null ? null : pki.authority(issuedMs, AGE_MS + standing.caLeftMs);

  // What KubeTemplater left behind it wrote under a name of its own.
  const otherManager = standing?.unbundled === true ? 'kubetemplater' : null;

  for (let at = 0; at < targets; at += 1) {
    const bundle = ca === null ? [] : [ca];
    // The first has two fields.
    api.target.create(write(`target-${at}`), { bundles: at === 0 ? [bundle, bundle] : [bundle], otherManager });
  }
  if (ca === null || standing === null) return;

  const leaf = pki.leaf(ca, standing.names, issuedMs, AGE_MS + standing.leafLeftMs);
  if (policy.issuer === 'self-signed') {
    api.authority.create(write('authority'), { crt: ca, key: ca, bundle: standing.unbundled ? [] : [ca], bridges: [] });
  }
  if (issuers[policy.issuer].readsSource)
    api.source.create({ ...write('source'), by: 'issuer' }, { crt: leaf, key: leaf, trust: [ca] });
  const secret = api.secret.create(write('secret'), { crt: leaf, key: leaf, trust: [ca] });
  const claimed = leaseAfter(null, { kind: 'claim' }, { identity: 'earlier', durationMs: 1_000, renewTime: 'earlier' });
  api.lease.create(write('lease'), {
    ...claimed,
    holder: null,
    announcement: { hash: leaf, validUntil: views.secret(secret).validUntil },
  });
};
