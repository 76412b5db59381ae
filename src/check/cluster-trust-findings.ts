import type { X509Certificate } from 'node:crypto';
import type { Fault, PairFault } from '../certificates/verify-pair.ts';
import { formatExpiry, formatSpan } from '../util/time.ts';
import {
  certificateText,
  endpointsText,
  endpointText,
  few,
  type Finding,
  finding,
  type FindingId,
  shortHash,
  subjectText,
} from './cluster-finding.ts';
import { type Hook, namespaceOf, serverName } from './cluster-hooks.ts';
import { caRenewal, type HookIssuer, issuerOf } from './cluster-issuer.ts';
import type { Probed, SurveyedHook } from './cluster-survey.ts';
import type { Trust, Verification, Verifier } from './cluster-trust.ts';
import { shellQuote } from './kubectl.ts';

/** An endpoint that showed a certificate, and what the API server says of it. */
interface Shown {
  readonly probed: Probed;
  readonly leaf: X509Certificate;
  readonly verification: Verification;
}

const FAULT_FINDINGS: Readonly<Partial<Record<PairFault, FindingId>>> = {
  expired: 'expired',
  'not-yet-valid': 'not-yet-valid',
  'missing-names': 'names-missing',
  'not-for-servers': 'not-for-servers',
};

const idOf = ({ reason, chainFault }: Fault): FindingId =>
  FAULT_FINDINGS[reason] ?? (chainFault === 'refused-by-go' ? 'refused-by-go' : 'untrusted');

/** The verifier speaks of the files of a Secret. */
const inHookWords = (detail: string): string =>
  detail
    .replace(
      / in ca\.crt issued (.*), directly or over tls\.crt/,
      ' in its caBundle issued $1, directly or over what it sends',
    )
    .replace(/ of tls\.crt/, ' of what it sends');

type Group<T> = readonly [T, ...T[]];

/** Groups of items with the same key; none is empty. */
const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): readonly Group<T>[] =>
  Array.from(Map.groupBy(items, keyOf).values(), (group) => group as [T, ...T[]]);

const caBundleCommand = ({ object, pointer }: Hook): string => {
  const jsonPath = `{${pointer.replace(/webhooks\/(\d+)/, 'webhooks[$1]').replaceAll('/', '.')}}`;
  return `kubectl get ${object.type} ${shellQuote(object.name)} -o jsonpath=${shellQuote(jsonPath)} | base64 -d | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout`;
};

const bundleFindings = (hook: Hook, { anchors, problems, isPublic }: Trust): readonly Finding[] => {
  if (isPublic || (anchors.length > 0 && problems.length === 0)) return [];
  if (anchors.length > 0) {
    const detail = `${few(problems)}; the API server goes on with the other ${anchors.length}`;
    return [finding('ca-bundle-partly-unreadable', 'warn', detail, caBundleCommand(hook))];
  }
  const detail =
    problems.length > 0 ? few(problems) : 'it holds no certificate, so the API server cannot build a client from it';
  return [finding('ca-bundle-unreadable', 'fail', detail, caBundleCommand(hook))];
};

/** The issuer's command for renewal; where it has none or nothing tells who issues it, the one that shows where it is kept. */
const orWhereItIs = (hook: Hook, renew: string | null | undefined): string => {
  if (renew != null) return renew;
  const namespace = namespaceOf(hook);
  const { type, name } = hook.object;
  return namespace === null
    ? `kubectl get ${type} ${shellQuote(name)} -o yaml --show-managed-fields`
    : `kubectl get secrets -n ${shellQuote(namespace)} --field-selector type=kubernetes.io/tls`;
};

/** The command that replaces Pods; null where they are none of the hook's Service. */
const restart = (hook: Hook, shown: readonly Pick<Shown, 'probed'>[]): string | null => {
  const pods = shown.flatMap(({ probed }) => probed.endpoint.pod ?? []);
  const namespace = namespaceOf(hook);
  return pods.length === 0 || namespace === null
    ? null
    : `kubectl delete pod -n ${shellQuote(namespace)} ${pods.map(shellQuote).join(' ')}`;
};

interface Refused extends Shown {
  readonly fault: Fault;
  readonly id: FindingId;
  readonly detail: string;
}

const refusalRemedy = (hook: Hook, { fault, id }: Refused, issuer: HookIssuer | null): string => {
  // A new leaf of an expired issuer is refused as well.
  if (fault.chainFault === 'issuer-expired') return orWhereItIs(hook, caRenewal(issuer));
  const isInBundle = id === 'untrusted' && hook.caBundle !== null;
  return isInBundle ? (issuer?.renew ?? caBundleCommand(hook)) : orWhereItIs(hook, issuer?.renew);
};

const refusals = (hook: Hook, trust: Trust, shown: readonly Shown[], all: readonly Probed[]): readonly Finding[] => {
  // Without a trusted certificate the API server makes no connection, and nothing else can be told.
  if (trust.anchors.length === 0) return [];
  const refused = shown.flatMap((each): readonly Refused[] => {
    const [first] = each.verification.faults;
    return first === undefined ? [] : [{ ...each, fault: first, id: idOf(first), detail: inHookWords(first.detail) }];
  });
  const isPart = refused.length < shown.length;
  return groupBy(refused, ({ id, detail }) => `${id} ${detail}`).map((group) => {
    const [first] = group;
    const issuer = issuerOf(hook, first.leaf);
    const some = group.map(({ probed }) => probed);
    const isReady = hook.server.to === 'url' ? '' : 'Ready and ';
    const who = `${endpointsText(some, all)} ${group.length === 1 ? 'is' : 'are'} ${isReady}refused`;
    if (trust.isPublic && hook.server.to === 'service' && first.id === 'untrusted') {
      const detail = `so the API server trusts public CAs only, and ${who}`;
      return finding('ca-bundle-empty', 'fail', detail, orWhereItIs(hook, issuer?.renew), issuer?.page);
    }
    const detail = `${who}: ${first.detail}`;
    // The others have what the caBundle trusts: a new Pod mounts it.
    const replace = isPart ? restart(hook, group) : null;
    return replace === null
      ? finding(first.id, 'fail', detail, refusalRemedy(hook, first, issuer), issuer?.page)
      : finding(first.id, 'fail', detail, replace);
  });
};

/** A leaf and its CA that are made together end in the same moment, give or take the time between. */
const SAME_MOMENT_MS = 3_600_000;

const endings = (hook: Hook, shown: readonly Shown[], warnBeforeMs: number, nowMs: number): readonly Finding[] => {
  const ending = shown.flatMap(({ leaf, verification: { end } }) => (end === null ? [] : [{ leaf, end }]));
  return groupBy(ending, ({ end }) => end.certificate.fingerprint256).flatMap(([{ leaf, end }]) => {
    const issuer = issuerOf(hook, leaf);
    const remedy = orWhereItIs(hook, end.isLeaf ? issuer?.renew : caRenewal(issuer));
    const until = formatExpiry(end.atMs, nowMs);
    const found: Finding[] = [];
    if (end.atMs - nowMs < warnBeforeMs) {
      const id = end.isLeaf ? 'expires-soon' : 'ca-expires-soon';
      found.push(finding(id, 'warn', `${certificateText(end.certificate)}: ${until}`, remedy, issuer?.page));
    }
    const longerMs = leaf.validToDate.getTime() - end.atMs;
    if (longerMs > SAME_MOMENT_MS) {
      const detail = `CA ${subjectText(end.certificate)} is valid ${until}; its leaf ${formatSpan(longerMs)} longer, in vain`;
      found.push(finding('ca-ends-first', 'warn', detail, remedy, issuer?.page));
    }
    return found;
  });
};

const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

/** `Pod a, Pod b serve HASH` */
const servingText = (group: Group<Shown>): string =>
  `${few(group.map(({ probed }) => endpointText(probed.endpoint)))} ${group.length === 1 ? 'serves' : 'serve'} ${shortHash(group[0].leaf)}`;

/** During a rotation endpoints differ for a minute; after that, some have not read the new certificate. */
const differences = (hook: Hook, shown: readonly Shown[]): readonly Finding[] => {
  const newestFirst = groupBy(shown, ({ leaf }) => leaf.fingerprint256).toSorted(
    ([left], [right]) => right.leaf.validFromDate.getTime() - left.leaf.validFromDate.getTime(),
  );
  const older = newestFirst.slice(1);
  if (older.length === 0) return [];
  const texts = [...older, ...newestFirst.slice(0, 1)].map(
    (group) => `${servingText(group)} from ${dayOf(group[0].leaf.validFromDate)}`,
  );
  const detail = `${texts.join('; ')}. Unless each Pod has a certificate of its own, those with the older one have not reloaded`;
  return [finding('certificates-differ', 'warn', detail, restart(hook, older.flat()))];
};

const secretDifferences = ({ hook, mounted }: SurveyedHook, shown: readonly Shown[]): readonly Finding[] => {
  if (mounted === null) return [];
  const name = serverName(hook);
  // A Pod that mounts several certificates for the name serves one of them.
  const strange = shown.filter(
    ({ leaf }) => !mounted.certificates.some((each) => each.leaf.fingerprint256 === leaf.fingerprint256),
  );
  return mounted.certificates
    .filter(({ leaf }) => leaf.checkHost(name, { subject: 'never' }) !== undefined)
    .flatMap(({ secret, leaf, pods, subPathPods }) => {
      const isIn = (names: readonly string[], { probed }: Shown): boolean =>
        names.some((each) => each === probed.endpoint.pod);
      const stale = strange.filter((each) => isIn(pods, each));
      const lifeMs = leaf.validToDate.getTime() - leaf.validFromDate.getTime();
      const held = `${shortHash(leaf)} (${formatSpan(lifeMs)} from ${dayOf(leaf.validFromDate)})`;
      return groupBy(stale, (each) => each.leaf.fingerprint256).map((group) => {
        const isSubPath = group.every((each) => isIn(subPathPods, each));
        const why = isSubPath ? '; it is a subPath mount, which is never updated' : '';
        const detail = `${servingText(group)}, Secret ${secret} holds ${held}${why}`;
        return finding('secret-differs', 'warn', detail, restart(hook, group));
      });
    });
};

/** What can be told from the certificates that the endpoints of a hook showed. */
export const trustFindings = (
  surveyed: SurveyedHook,
  verifier: Verifier,
  { warnBeforeMs, nowMs }: { readonly warnBeforeMs: number; readonly nowMs: number },
): readonly Finding[] => {
  const { hook, probes } = surveyed;
  const trust = verifier.trustOf(hook);
  const shown = probes.flatMap((probed): readonly Shown[] => {
    const chain = probed.result.state === 'presented' ? probed.result.chain : [];
    const [leaf] = chain;
    return leaf === undefined ? [] : [{ probed, leaf, verification: verifier.verify(hook, chain) }];
  });
  const verified = hook.skipsVerification
    ? []
    : [
        ...bundleFindings(hook, trust),
        ...refusals(hook, trust, shown, probes),
        ...endings(hook, shown, warnBeforeMs, nowMs),
      ];
  return [...verified, ...differences(hook, shown), ...secretDifferences(surveyed, shown)];
};
