import type { CertificateInfo, Replica } from '../../streams/model.ts';
import type { PlannerInput } from '../../streams/planner-input.ts';
import type { Step } from '../../streams/step.ts';

/** The number of a CA or leaf: a higher one was issued later. */
export type Id = number;
/** Ascending. */
export type Ids = readonly Id[];

/** A leaf, its issuer, and the older CAs under which it verifies too, through cross-signed CAs behind it in `tls.crt`. */
export interface Leaf {
  readonly id: Id;
  readonly ca: Id;
  readonly via: Ids;
}

/** What a Pod has mounted: `tls.crt` and the `ca.crt` beside it. */
export interface Pair {
  readonly leaf: Leaf;
  readonly trust: Ids;
}

/** A step of the planner, as far as its write depends on it. */
export interface PlannedStep {
  readonly kind: Step['kind'];
  /** The target to be written, by its number. */
  readonly target: number;
  /** The CAs to be kept, injected, published or noted; of `issue-leaf` the bundle. */
  readonly cas: Ids;
  /** The leaf to be announced, or the CA that a rotation request is bound to. */
  readonly id: Id | null;
  /** Clears the rotation request; or notes something instead of removing the note. */
  readonly flag: boolean;
}

/** The objects that a write may rest on, besides the targets by their number. */
export type Rest = 'ca' | 'secret' | 'source' | 'lease' | number;

/** A write that a leader has decided on. Once checked, it rests on nothing but the object that it writes. */
export interface Planned {
  readonly step: PlannedStep;
  readonly isChecked: boolean;
  /** The leaf to write, made when the CA was read. */
  readonly leaf: Leaf | null;
  /** The objects which must not change before the write, or it ends as a conflict. */
  readonly rests: readonly Rest[];
  /** It was decided on before the mark on the Lease was written: a write does not arrive later than TRUST_SETTLE. */
  readonly isBeforeMark: boolean;
}

/** An earlier version of a caBundle, which an API server still calls with. */
export interface Version {
  readonly bundle: Ids;
  /** Its calls are excused: somebody else wrote it, or it was left behind for a reason. */
  readonly isExcused: boolean;
}

export interface Target {
  readonly bundle: Ids;
  /** Somebody else wrote it last. */
  readonly isTampered: boolean;
  /** The API server refuses every write of it. */
  readonly refuses: boolean;
  /** It refuses since nothing was announced: its calls failed then, and no announcement waits for it. */
  readonly isExcused: boolean;
  /** What the API server that lags has not taken up, oldest first: it calls with the first, or with what is stored. */
  readonly behind: readonly Version[];
  /** How many of them it will have left behind when TRUST_SETTLE has passed since the mark on the Lease, or CA_OVERLAP. */
  readonly dueAtSettle: number;
  readonly dueAtOverlap: number;
}

/** What has ended for good. The CA of a leaf that is valid is valid too: a leaf does not outlive it (L5). */
export interface Expired {
  readonly cas: Ids;
  readonly leaves: Ids;
}

/** One state of the whole cluster. Everything in it is a value: transitions make a new one. */
export interface State {
  readonly ca: { readonly current: Id; readonly hasKey: boolean; readonly bundle: Ids; readonly via: Ids } | null;
  readonly secret: Pair | null;
  /** SOURCE_SECRET, with an issuer that is relayed. */
  readonly source: Pair | null;
  readonly announced: Id | null;
  /** `leaf`, `ca`, or the number of the CA that a rotation replaces. */
  readonly rotate: 'leaf' | 'ca' | Id | null;
  /** Since when every replica serves what is announced: not recorded, for less than CA_OVERLAP, or for longer. */
  readonly served: 'no' | 'recent' | 'long';
  /** The CAs that are noted as trusted by every caBundle, and whether TRUST_SETTLE has passed since. */
  readonly trusted: { readonly cas: Ids; readonly isSettled: boolean } | null;
  readonly targets: readonly Target[];
  readonly replicas: readonly {
    readonly mounted: Pair | null;
    readonly serves: Leaf | null;
    readonly acknowledged: Id | null;
  }[];
  readonly leaders: readonly (Planned | null)[];
  readonly expired: Expired;
  /** Whether SECRET-ca's CA and the Secret's leaf are due for renewal. */
  readonly due: { readonly ca: boolean; readonly leaf: boolean };
  readonly accidents: number;
}

const DAY_MS = 86_400_000;
/** The wall clock of the model stands still: certificates come due and expire one by one, each by a transition. */
export const NOW_MS = 1_000 * DAY_MS;
const OVERLAP_MS = 3_600_000;
const SETTLE_MS = 10_000;
const NAMES = ['hooks.ns.svc'];

export const POLICY = {
  identity: 'replica-0',
  names: NAMES,
  renewBeforeMs: 30 * DAY_MS,
  caRenewBeforeMs: 365 * DAY_MS,
  caOverlapMs: OVERLAP_MS,
  trustSettleMs: SETTLE_MS,
};

/** For how long a certificate has been valid, and for how long it will be. */
type Life = readonly [ageMs: number, leftMs: number];
const FRESH_CA: Life = [DAY_MS, 3_650 * DAY_MS];
const DUE_CA: Life = [3_551 * DAY_MS, 100 * DAY_MS];
const EXPIRED_CA: Life = [3_652 * DAY_MS, -DAY_MS];
const FRESH_LEAF: Life = [DAY_MS, 365 * DAY_MS];
const DUE_LEAF: Life = [365 * DAY_MS, DAY_MS];
const EXPIRED_LEAF: Life = [367 * DAY_MS, -DAY_MS];

const infos = new Map<string, CertificateInfo>();

const infoOf = (fingerprint: string, names: readonly string[], [ageMs, leftMs]: Life): CertificateInfo => {
  const key = `${fingerprint}/${leftMs}`;
  const known = infos.get(key);
  if (known !== undefined) return known;
  const info = {
    fingerprint,
    subject: fingerprint,
    serial: '01',
    notBeforeMs: NOW_MS - ageMs,
    notAfterMs: NOW_MS + leftMs,
    names,
    pem: fingerprint,
  };
  infos.set(key, info);
  return info;
};

const nameOf = (id: Id): string => `ca${id}`;
const hashOf = (id: Id): string => `leaf${id}`;
export const idOf = (fingerprint: string): Id => Number(fingerprint.slice('ca'.length));
export const leafIdOf = (hash: string): Id => Number(hash.slice('leaf'.length));
export const targetOf = (id: string): number => Number(id.slice('target-'.length));

const isDueCa = ({ ca, due }: State, id: Id): boolean => due.ca && ca?.current === id;

const caLife = (state: State, id: Id): Life => {
  if (state.expired.cas.includes(id)) return EXPIRED_CA;
  return isDueCa(state, id) ? DUE_CA : FRESH_CA;
};

/** A leaf ends with its CA, if not before. */
const leafLife = (state: State, { id, ca }: Leaf): Life => {
  if (state.expired.leaves.includes(id)) return EXPIRED_LEAF;
  if (state.due.leaf && state.secret?.leaf.id === id) return DUE_LEAF;
  return isDueCa(state, ca) ? [DAY_MS, DUE_CA[1]] : FRESH_LEAF;
};

const rfc3339 = (timeMs: number): string => new Date(timeMs).toISOString().replace('.000Z', 'Z');

/** Until when the announced leaf is valid, as the announcement says. */
const announcedUntil = (state: State, id: Id): string => {
  const known = [state.secret?.leaf, state.source?.leaf].find((one) => one?.id === id);
  const leaf = known ?? { id, ca: -1, via: [] };
  return rfc3339(NOW_MS + leafLife(state, leaf)[1]);
};

export const sorted = (ids: Iterable<Id>): Ids => [...new Set(ids)].sort((left, right) => left - right);

/** Whether a caller that trusts just this bundle accepts the leaf. */
export const verifies = ({ ca, via }: Leaf, bundle: Ids, { cas }: Expired): boolean =>
  [ca, ...via].some((id) => bundle.includes(id) && !cas.includes(id));

/** What a leader that sees everything as it is hands to its planner. */
export const observed = (state: State): PlannerInput => {
  const caInfo = (id: Id): CertificateInfo => infoOf(nameOf(id), [], caLife(state, id));
  const leafInfo = (leaf: Leaf): CertificateInfo => infoOf(hashOf(leaf.id), NAMES, leafLife(state, leaf));
  const secretOf = (pair: Pair | null): PlannerInput['secret'] =>
    pair === null
      ? 'absent'
      : {
          resourceVersion: '1',
          hash: hashOf(pair.leaf.id),
          leaf: leafInfo(pair.leaf),
          validUntil: rfc3339(leafInfo(pair.leaf).notAfterMs),
          issuer: pair.trust.includes(pair.leaf.ca) ? nameOf(pair.leaf.ca) : null,
          trust: pair.trust.map(caInfo),
          problem: null,
          otherManager: null,
        };
  return {
    lease: {
      uid: 'lease',
      resourceVersion: '1',
      holder: 'replica-0',
      durationMs: 60_000,
      renewTime: null,
      transitions: 0,
      announcement:
        state.announced === null
          ? null
          : { hash: hashOf(state.announced), validUntil: announcedUntil(state, state.announced) },
      malformed: null,
      rotate: typeof state.rotate === 'number' ? `ca/${nameOf(state.rotate)}` : state.rotate,
      servedSinceMs: { no: null, recent: NOW_MS, long: NOW_MS - OVERLAP_MS }[state.served],
      trusted: state.trusted && {
        cas: state.trusted.cas.map(nameOf),
        sinceMs: state.trusted.isSettled ? NOW_MS - SETTLE_MS : NOW_MS,
      },
      otherManager: null,
    },
    secret: secretOf(state.secret),
    source: secretOf(state.source),
    ca:
      state.ca === null
        ? 'absent'
        : {
            resourceVersion: '1',
            current: state.ca.hasKey ? caInfo(state.ca.current) : null,
            bundle: state.ca.bundle.map(caInfo),
            crossSignedBy: state.ca.via.filter((id) => state.ca?.bundle.includes(id)).map(nameOf),
            otherManager: null,
          },
    targets: state.targets.map(({ bundle, isTampered, refuses }, at) => ({
      id: `target-${at}`,
      state: { resourceVersion: '1', bundles: [bundle.map(caInfo)], otherManager: isTampered ? 'other' : null },
      held: refuses,
      refused: refuses ? '403' : null,
    })),
    replicas: state.replicas.map(({ acknowledged }, at): Replica => ({
      name: `replica-${at}`,
      servingHash: acknowledged === null ? null : hashOf(acknowledged),
      goneAtMs: null,
    })),
  };
};
