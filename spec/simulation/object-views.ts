import type { LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import { chainProblem } from './chain-problem.ts';
import type { Entry } from './collection.ts';
import type { StoredAuthority, StoredLease, StoredPod, StoredSecret, StoredTarget } from './stored-objects.ts';
import type { SymbolicPki } from './symbolic-pki.ts';

const secondsOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const secretView = (
  pki: SymbolicPki,
  { version, value: { crt, key, trust: bundle } }: Entry<StoredSecret>,
): SecretState => {
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
};

/** A pair that is relayed is verified as callers do; its dates are judged at each decision. */
const relayedView = (pki: SymbolicPki, entry: Entry<StoredSecret>, names: readonly string[]): SecretState => {
  const state = secretView(pki, entry);
  const { hash, leaf, trust } = state;
  if (hash === null || leaf === null) return state;
  const anchors = trust.map(({ fingerprint }) => fingerprint);
  const missing = names.filter((name) => !leaf.names.includes(name));
  const chain = trust.length === 0 ? null : chainProblem(pki, hash, anchors, leaf.notAfterMs - 1);
  return { ...state, problem: missing.length > 0 ? `it lacks ${missing.join()}` : chain };
};

/**
 * What src/cluster/decode.ts makes of real objects, made of symbolic ones.
 *
 * @param relaysFor the names of what is relayed; null where nothing is
 */
export const objectViews = (pki: SymbolicPki, relaysFor: readonly string[] | null) => ({
  secret: (entry: Entry<StoredSecret>): SecretState =>
    relaysFor === null ? secretView(pki, entry) : relayedView(pki, entry, relaysFor),
  source: (entry: Entry<StoredSecret>): SecretState => relayedView(pki, entry, relaysFor ?? []),
  lease: ({ uid, version, value }: Entry<StoredLease>): LeaseSnapshot => ({
    ...value,
    uid,
    resourceVersion: String(version),
  }),
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
