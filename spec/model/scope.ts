import { type Issuer, issuers } from '../../streams/issuers.ts';
import type { State } from './cluster.ts';
import type { Law } from './laws.ts';

/** What may happen to the cluster from outside, any time. Each costs one of the accidents that a run allows. */
export const ACCIDENTS = [
  'leaf rotation requested',
  'CA rotation requested',
  'Secret deleted',
  'Secret restored from an older backup',
  'SECRET-ca deleted',
  'CA key lost',
  'SECRET-ca restored from an older backup',
  'announcement removed',
  'replica restarted',
  'caBundle emptied',
  'target refuses writes',
  'issuer renews under the same CA',
  'issuer renews under a new CA',
  'leaf comes due',
  'leaf expires',
  'CA comes due',
  'CA expires',
] as const;
export type Accident = (typeof ACCIDENTS)[number];

const OF_AN_EXTERNAL_ISSUER: readonly Accident[] = [
  'announcement removed',
  'replica restarted',
  'target refuses writes',
  'issuer renews under the same CA',
  'issuer renews under a new CA',
  'leaf expires',
  'CA expires',
];

const OF_A_RELAY: readonly Accident[] = [
  ...OF_AN_EXTERNAL_ISSUER,
  'Secret deleted',
  'Secret restored from an older backup',
  'caBundle emptied',
];

/** The accidents that can happen with an issuer. */
export const accidentsOf = (issuer: keyof typeof issuers): readonly Accident[] => {
  if (issuers[issuer].keepsCa) return ACCIDENTS.filter((kind) => !kind.startsWith('issuer '));
  return issuers[issuer].readsSource ? OF_A_RELAY : OF_AN_EXTERNAL_ISSUER;
};

/** How large a cluster is explored. Everything in it can be handed to a worker, except a planner. */
export interface Scope {
  readonly issuer: keyof typeof issuers;
  readonly replicas: number;
  readonly targets: number;
  /** 2: one takes up every caBundle at once, and one lags. Two that lag differ in nothing, since neither knows of the other. */
  readonly apiServers: number;
  readonly leaders: number;
  /** How many accidents one history has at most. */
  readonly accidents: number;
  /** Which of them; all that suit the issuer by default. */
  readonly kinds?: readonly Accident[];
  /** The caBundles are empty, or trust the CA of a webhook that runs already. */
  readonly start?: 'empty' | 'running';
  /** Which laws are judged; all by default. */
  readonly laws?: readonly Law[];
  /** Plans in the place of the issuer's own, for a planted bug. */
  readonly plan?: Issuer['plan'];
}

/** Where everything begins: the targets and the replicas, and what another program has issued. */
export const startOf = ({ issuer, replicas, targets, leaders, start = 'empty' }: Scope): State => {
  const runs = start === 'running';
  const id = runs ? 1 : 0;
  const issued = { leaf: { id: 0, ca: id, via: [] }, trust: [id] };
  const { keepsCa, readsSource } = issuers[issuer];
  return {
    ca: null,
    secret: keepsCa || readsSource ? null : issued,
    source: readsSource ? issued : null,
    announced: null,
    rotate: null,
    served: 'no',
    trusted: null,
    targets: Array.from({ length: targets }, () => ({
      bundle: runs ? [0] : [],
      isTampered: false,
      refuses: false,
      isExcused: false,
      behind: [],
      dueAtSettle: 0,
      dueAtOverlap: 0,
    })),
    replicas: Array.from({ length: replicas }, () => ({ mounted: null, serves: null, acknowledged: null })),
    leaders: Array.from({ length: leaders }, () => null),
    expired: { cas: [], leaves: [] },
    due: { ca: false, leaf: false },
    accidents: 0,
  };
};
