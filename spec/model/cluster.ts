import type { issuers } from '../../streams/issuers.ts';
import type { CertificateInfo, Replica } from '../../streams/model.ts';
import type { PlannerInput } from '../../streams/planner-input.ts';
import type { Step } from '../../streams/step.ts';

/** The number of a CA or leaf: a higher one was issued later. */
type Id = number;

/** A leaf, its issuer, and the older CAs under which it verifies too, through cross-signed CAs behind it in `tls.crt`. */
export interface Leaf {
  readonly id: Id;
  readonly ca: Id;
  readonly via: readonly Id[];
}

/** What a Pod has mounted: `tls.crt` and the `ca.crt` beside it. */
export interface Pair {
  readonly leaf: Leaf;
  readonly trust: readonly Id[];
}

/** A write that a leader has decided on. Once checked, it rests on nothing but the object that it writes. */
export interface Planned {
  readonly step: Step;
  readonly isChecked: boolean;
  /** The leaf to write, made when the CA was read. */
  readonly leaf: Leaf | null;
  /** The objects which must not change before the write, or it ends as a conflict. */
  readonly rests: readonly string[];
}

/** One state of the whole cluster. Everything in it is a value: transitions make a new one. */
export interface State {
  readonly ca: {
    readonly current: Id;
    readonly hasKey: boolean;
    readonly bundle: readonly Id[];
    readonly via: readonly Id[];
  } | null;
  readonly secret: Pair | null;
  readonly announced: Id | null;
  /** `leaf`, `ca`, or the number of the CA that a rotation replaces. */
  readonly rotate: 'leaf' | 'ca' | Id | null;
  /** Since when every replica serves what is announced: not recorded, for less than CA_OVERLAP, or for longer. */
  readonly served: 'no' | 'recent' | 'long';
  readonly targets: readonly {
    readonly bundle: readonly Id[];
    readonly isTampered: boolean;
    /** The API server refuses every write of it. */
    readonly refuses: boolean;
    /** It refuses since nothing was announced: its calls failed then, and no announcement waits for it. */
    readonly isExcused: boolean;
  }[];
  readonly replicas: readonly {
    readonly mounted: Pair | null;
    readonly serves: Leaf | null;
    readonly acknowledged: Id | null;
  }[];
  readonly leaders: readonly (Planned | null)[];
  readonly accidents: number;
}

const DAY_MS = 86_400_000;
/** The wall clock of the model stands still: renewals are asked for, and nothing expires. */
export const NOW_MS = 1_000 * DAY_MS;
export const OVERLAP_MS = 3_600_000;
const NAMES = ['hooks.ns.svc'];

export const POLICY = {
  names: NAMES,
  renewBeforeMs: 30 * DAY_MS,
  caRenewBeforeMs: 365 * DAY_MS,
  caOverlapMs: OVERLAP_MS,
};

const infos = new Map<string, CertificateInfo>();

const infoOf = (fingerprint: string, names: readonly string[], lifeMs: number): CertificateInfo => {
  const known = infos.get(fingerprint);
  if (known !== undefined) return known;
  const info = {
    fingerprint,
    subject: fingerprint,
    serial: '01',
    notBeforeMs: NOW_MS - DAY_MS,
    notAfterMs: NOW_MS + lifeMs,
    names,
    pem: fingerprint,
  };
  infos.set(fingerprint, info);
  return info;
};

const caInfo = (id: Id): CertificateInfo => infoOf(`ca${id}`, [], 3_650 * DAY_MS);
const leafInfo = ({ id }: Leaf): CertificateInfo => infoOf(`leaf${id}`, NAMES, 365 * DAY_MS);
const hashOf = (id: Id): string => `leaf${id}`;
export const idOf = ({ fingerprint }: { readonly fingerprint: string }): Id => Number(fingerprint.slice(2));

export const replicaName = (at: number): string => `replica-${at}`;

/** Whether a caller that trusts just this bundle accepts the leaf. */
export const verifies = ({ ca, via }: Leaf, bundle: readonly Id[]): boolean =>
  bundle.includes(ca) || via.some((id) => bundle.includes(id));

/** What a leader that sees everything as it is hands to its planner. */
export const observed = (state: State, issuer: keyof typeof issuers): PlannerInput => ({
  lease: {
    uid: 'lease',
    resourceVersion: '1',
    holder: 'replica-0',
    durationMs: 60_000,
    renewTime: null,
    transitions: 0,
    announcement: state.announced === null ? null : { hash: hashOf(state.announced), validUntil: 'then' },
    malformed: null,
    rotate: typeof state.rotate === 'number' ? `ca/ca${state.rotate}` : state.rotate,
    servedSinceMs: { no: null, recent: NOW_MS, long: NOW_MS - OVERLAP_MS }[state.served],
    otherManager: null,
  },
  secret:
    state.secret === null
      ? 'absent'
      : {
          resourceVersion: '1',
          hash: hashOf(state.secret.leaf.id),
          leaf: leafInfo(state.secret.leaf),
          validUntil: 'then',
          issuer: state.secret.trust.includes(state.secret.leaf.ca) ? `ca${state.secret.leaf.ca}` : null,
          trust: state.secret.trust.map(caInfo),
          problem: null,
          otherManager: null,
        },
  ca:
    issuer === 'external'
      ? 'pending'
      : state.ca === null
        ? 'absent'
        : {
            resourceVersion: '1',
            current: state.ca.hasKey ? caInfo(state.ca.current) : null,
            bundle: state.ca.bundle.map(caInfo),
            otherManager: null,
          },
  targets: state.targets.map(({ bundle, isTampered, refuses }, at) => ({
    id: `target-${at}`,
    state: { resourceVersion: '1', bundles: [bundle.map(caInfo)], otherManager: isTampered ? 'other' : null },
    held: refuses,
    refused: refuses ? '403' : null,
  })),
  replicas: state.replicas.map(({ acknowledged }, at): Replica => ({
    name: replicaName(at),
    servingHash: acknowledged === null ? null : hashOf(acknowledged),
    ready: true,
    goneAtMs: null,
  })),
});
