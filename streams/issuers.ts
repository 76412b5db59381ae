import { externalWaitsFor, planExternal } from './plan-external.ts';
import { issuanceWaitsFor, planIssuance } from './plan-issuance.ts';
import { planRelay, relayWaitsFor } from './plan-relay.ts';
import type { IssuancePolicy, PlannerInput } from './planner-input.ts';
import type { Step } from './step.ts';

/** One value of CERT_ISSUER, as what it can do. Everything else asks for a capability and never for a name. */
export interface Issuer {
  /** As it is written in CERT_ISSUER; for logs and help. */
  readonly name: string;
  /** The leader's next write, or null when there is nothing to do. Pure. */
  readonly plan: (observed: PlannerInput, policy: IssuancePolicy, nowMs: number) => Step | null;
  /** The targets that a due change of CA waits for, because they refuse the leader's writes; empty: none. Pure. */
  readonly caChangeWaitsFor: (observed: PlannerInput, policy: IssuancePolicy, nowMs: number) => readonly string[];
  /** The leader keeps a CA of its own in SECRET-ca and signs with it. */
  readonly keepsCa: boolean;
  /** The leader writes SECRET; else another program does, and the leader only announces what it finds there. */
  readonly writesSecret: boolean;
  /** Another program issues into SOURCE_SECRET, and the leader copies from there into SECRET. */
  readonly readsSource: boolean;
  /** A leaf without the Service's names, or that does not chain to the mounted bundle, is refused; else only reported. */
  readonly enforcesClientRules: boolean;
  /** A pair may be without a `ca.crt`: callers know its CA from elsewhere. */
  readonly mayLackTrust: boolean;
}

/** Every issuer there is. A new one is a row here, and a planner if none of these fits. */
export const issuers = {
  'self-signed': {
    name: 'self-signed',
    plan: planIssuance,
    caChangeWaitsFor: issuanceWaitsFor,
    keepsCa: true,
    writesSecret: true,
    readsSource: false,
    enforcesClientRules: true,
    mayLackTrust: false,
  },
  external: {
    name: 'external',
    plan: planExternal,
    caChangeWaitsFor: externalWaitsFor,
    keepsCa: false,
    writesSecret: false,
    readsSource: false,
    enforcesClientRules: false,
    mayLackTrust: true,
  },
  relay: {
    name: 'relay',
    plan: planRelay,
    caChangeWaitsFor: relayWaitsFor,
    keepsCa: false,
    writesSecret: true,
    readsSource: true,
    enforcesClientRules: true,
    mayLackTrust: true,
  },
} as const satisfies Readonly<Record<string, Issuer>>;
