import type { LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import type { Entry } from './collection.ts';
import type { StoredAuthority, StoredLease, StoredPod, StoredSecret, StoredTarget } from './stored-objects.ts';
import type { SymbolicPki } from './symbolic-pki.ts';

const secondsOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** What src/cluster/decode.ts makes of real objects, made of symbolic ones. */
export const objectViews = (pki: SymbolicPki) => ({
  lease: ({ uid, version, value }: Entry<StoredLease>): LeaseSnapshot => ({
    ...value,
    uid,
    resourceVersion: String(version),
  }),
  secret: ({ version, value: { crt, key, trust: bundle } }: Entry<StoredSecret>): SecretState => {
    const trust = pki.factsOf(bundle);
    const common = { resourceVersion: String(version), hash: crt, trust, otherManager: null };
    const nothing = { ...common, leaf: null, validUntil: '', issuer: null };
    const leaf = pki.get(crt?.split('+')[0] ?? '');
    if (crt === null) return { ...nothing, problem: null };
    if (leaf === undefined) return { ...nothing, problem: 'tls.crt: not PEM' };
    const signer = [...trust, leaf.facts].find(({ fingerprint }) => pki.get(fingerprint)?.key === leaf.signer);
    const issuer = signer?.fingerprint ?? null;
    if (key !== leaf.key) return { ...nothing, issuer, problem: 'tls.key belongs to another certificate' };
    return {
      ...common,
      leaf: leaf.facts,
      validUntil: secondsOf(leaf.facts.notAfterMs),
      issuer,
      problem: null,
    };
  },
  authority: ({ version, value: { crt, key, bundle, bridges } }: Entry<StoredAuthority>): CaState => {
    const certificate = pki.get(crt);
    const current = certificate?.key === key ? certificate.facts : null;
    const signers = bridges.map((bridge) => pki.get(bridge)?.signer);
    const crossSignedBy = bundle.filter((ca) => ca !== crt && signers.includes(pki.get(ca)?.key));
    return {
      resourceVersion: String(version),
      current,
      bundle: pki.factsOf(bundle),
      otherManager: null,
      crossSignedBy,
    };
  },
  target: ({ version, value: { bundles, otherManager } }: Entry<StoredTarget>): TargetState => ({
    resourceVersion: String(version),
    bundles: bundles.map((bundle) => pki.factsOf(bundle)),
    otherManager: otherManager,
  }),
  replica: ({ name, value: { servingHash, goneAtMs } }: Entry<StoredPod>): Replica => ({
    name,
    servingHash,
    goneAtMs,
  }),
});
