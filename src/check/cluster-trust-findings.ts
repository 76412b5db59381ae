import type { X509Certificate } from 'node:crypto';
import type { PairFault } from '../certificates/verify-pair.ts';
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
import { type HookIssuer, issuerOf } from './cluster-issuer.ts';
import type { Probed, SurveyedHook } from './cluster-survey.ts';
import type { Trust, Verification, Verifier } from './cluster-trust.ts';
import { shellQuote } from './kubectl.ts';

/** An endpoint that showed a certificate, and what the API server says of it. */
interface Shown {
  readonly probed: Probed;
  readonly chain: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  readonly verification: Verification;
}

const FAULT_FINDINGS: Readonly<Partial<Record<PairFault, FindingId>>> = {
  expired: 'expired',
  'not-yet-valid': 'not-yet-valid',
  'missing-names': 'names-missing',
  'not-for-servers': 'not-for-servers',
};

const idOf = ({ reason, detail }: { readonly reason: PairFault; readonly detail: string }): FindingId =>
  FAULT_FINDINGS[reason] ?? (detail.includes('Go refuses') ? 'refused-by-go' : 'untrusted');

/** The verifier speaks of the files of a Secret. */
const inHookWords = (detail: string): string =>
  detail
    .replace(
      / in ca\.crt issued (.*), directly or over tls\.crt$/,
      ' in its caBundle issued $1, directly or over what it sends',
    )
    .replace(/ of tls\.crt/, ' of what it sends');

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] => [
  ...Map.groupBy(items, keyOf).values(),
];

const caBundleCommand = ({ object, pointer }: Hook): string => {
  const path = pointer.slice(1).replace(/^webhooks\/(\d+)\//, 'webhooks[$1]/');
  const jsonPath = `{.${path.replaceAll('/', '.')}}`;
  return `kubectl get ${object.type} ${shellQuote(object.name)} -o jsonpath=${shellQuote(jsonPath)} | base64 -d | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout`;
};

const bundleFindings = (hook: Hook, trust: Trust): readonly Finding[] => {
  if (hook.skipsVerification || trust.isPublic || trust.problems.length === 0) {
    const isEmpty = !trust.isPublic && trust.anchors.length === 0;
    if (!isEmpty || hook.skipsVerification) return [];
    const detail = 'it holds no certificate, so the API server cannot build a client from it';
    return [finding('ca-bundle-unreadable', 'fail', detail, caBundleCommand(hook))];
  }
  const problems = few(trust.problems);
  return trust.anchors.length === 0
    ? [finding('ca-bundle-unreadable', 'fail', problems, caBundleCommand(hook))]
    : [
        finding(
          'ca-bundle-partly-unreadable',
          'warn',
          `${problems}; the API server goes on with the other ${trust.anchors.length}`,
          caBundleCommand(hook),
        ),
      ];
};

/** The command that renews the certificate; where nothing tells who issues it, the one that shows where it is kept. */
const renewal = (hook: Hook, issuer: HookIssuer | null): string => {
  const namespace = namespaceOf(hook);
  const { type, name } = hook.object;
  if (issuer?.renew != null) return issuer.renew;
  return namespace === null
    ? `kubectl get ${type} ${shellQuote(name)} -o yaml --show-managed-fields`
    : `kubectl get secrets -n ${shellQuote(namespace)} --field-selector type=kubernetes.io/tls`;
};

const refusalRemedy = (
  hook: Hook,
  id: FindingId,
  refused: readonly Shown[],
  isPart: boolean,
  issuer: HookIssuer | null,
) => {
  const pods = refused.flatMap(({ probed }) => probed.endpoint.pod ?? []);
  const namespace = namespaceOf(hook);
  // The others have what the caBundle trusts: a new Pod mounts it.
  if (isPart && pods.length > 0 && namespace !== null)
    return `kubectl delete pod -n ${shellQuote(namespace)} ${pods.map(shellQuote).join(' ')}`;
  if (id === 'untrusted' && issuer?.renew == null) return caBundleCommand(hook);
  return renewal(hook, issuer);
};

const refusals = (hook: Hook, trust: Trust, shown: readonly Shown[], all: readonly Probed[]): readonly Finding[] => {
  // Without a trusted certificate the API server makes no connection, and nothing else can be told.
  if (trust.anchors.length === 0) return [];
  const refused = shown.flatMap((each) => {
    const [first] = each.verification.faults;
    return first === undefined ? [] : [{ ...each, id: idOf(first), detail: inHookWords(first.detail) }];
  });
  return groupBy(refused, ({ id, detail }) => `${id} ${detail}`).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const issuer = issuerOf(hook, first.leaf);
    const isPart = group.length < shown.length;
    const who = `${endpointsText(
      group.map(({ probed }) => probed),
      all,
    )} ${group.length === 1 ? 'is' : 'are'} Ready and refused`;
    if (trust.isPublic && hook.server.to === 'service' && first.id === 'untrusted') {
      const detail = `so the API server trusts public CAs only, and ${who}`;
      return [finding('ca-bundle-empty', 'fail', detail, renewal(hook, issuer), issuer?.page)];
    }
    const remedy = refusalRemedy(hook, first.id, group, isPart, issuer);
    return [finding(first.id, 'fail', `${who}: ${first.detail}`, remedy, isPart ? null : issuer?.page)];
  });
};

/** A leaf and its CA that are made together end in the same moment, give or take the time between. */
const SAME_MOMENT_MS = 3_600_000;

const endings = (hook: Hook, shown: readonly Shown[], warnBeforeMs: number, nowMs: number): readonly Finding[] => {
  const ending = shown.flatMap((each) =>
    each.verification.end === null ? [] : [{ ...each, end: each.verification.end }],
  );
  return groupBy(ending, ({ end }) => end.certificate.fingerprint256).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { end, leaf } = first;
    const issuer = issuerOf(hook, leaf);
    const until = formatExpiry(end.atMs, nowMs);
    const isSoon = end.atMs - nowMs < warnBeforeMs;
    const found: Finding[] = [];
    if (isSoon) {
      const id = end.isLeaf ? 'expires-soon' : 'ca-expires-soon';
      const detail = `${certificateText(end.certificate)}: ${until}`;
      found.push(finding(id, 'warn', detail, renewal(hook, issuer), issuer?.page));
    }
    const leafEndMs = leaf.validToDate.getTime();
    if (!end.isLeaf && leafEndMs - end.atMs > SAME_MOMENT_MS) {
      const detail = `CA ${subjectText(end.certificate)} is valid ${until}; its leaf ${formatSpan(leafEndMs - end.atMs)} longer, in vain`;
      found.push(finding('ca-ends-first', 'warn', detail, renewal(hook, issuer), issuer?.page));
    }
    return found;
  });
};

/** During a rotation endpoints differ for a minute; after that, some have not read the new certificate. */
const differences = (hook: Hook, shown: readonly Shown[]): readonly Finding[] => {
  const groups = [...groupBy(shown, ({ leaf }) => leaf.fingerprint256)].sort(
    ([left], [right]) => (right?.leaf.validFromDate.getTime() ?? 0) - (left?.leaf.validFromDate.getTime() ?? 0),
  );
  const [newest, ...older] = groups;
  if (newest === undefined || older.length === 0) return [];
  const text = (group: readonly Shown[]): string =>
    `${few(group.map(({ probed }) => endpointText(probed.endpoint)))} ${group.length === 1 ? 'serves' : 'serve'} ${shortHash(group[0]?.leaf ?? null)} from ${
      group[0]?.leaf.validFromDate.toISOString().slice(0, 10) ?? ''
    }`;
  const pods = older.flat().flatMap(({ probed }) => probed.endpoint.pod ?? []);
  const namespace = namespaceOf(hook);
  const remedy =
    pods.length === 0 || namespace === null
      ? null
      : `kubectl delete pod -n ${shellQuote(namespace)} ${pods.map(shellQuote).join(' ')}`;
  const detail = [...older, newest].map(text).join('; ');
  return [
    finding(
      'certificates-differ',
      'warn',
      `${detail}. Unless each Pod has a certificate of its own, those with the older one have not reloaded`,
      remedy,
    ),
  ];
};

const secretDifferences = ({ hook, mounted }: SurveyedHook, shown: readonly Shown[]): readonly Finding[] => {
  const namespace = namespaceOf(hook);
  if (mounted === null || namespace === null) return [];
  const name = serverName(hook);
  return mounted.certificates
    .filter(({ leaf }) => leaf.checkHost(name, { subject: 'never' }) !== undefined)
    .flatMap(({ secret, leaf, pods, subPathPods }) => {
      const stale = shown.filter(
        ({ probed, leaf: served }) =>
          probed.endpoint.pod !== null &&
          pods.includes(probed.endpoint.pod) &&
          served.fingerprint256 !== leaf.fingerprint256,
      );
      // A Pod that mounts several certificates for the name serves one of them.
      const servesAnother = stale.filter(
        ({ leaf: served }) => !mounted.certificates.some((each) => each.leaf.fingerprint256 === served.fingerprint256),
      );
      if (servesAnother.length === 0) return [];
      const names = servesAnother.flatMap(({ probed }) => probed.endpoint.pod ?? []);
      const why = names.every((pod) => subPathPods.includes(pod))
        ? '; it is a subPath mount, which is never updated'
        : '';
      const detail = `${few(names.map((pod) => `Pod ${pod}`))} ${names.length === 1 ? 'serves' : 'serve'} ${shortHash(servesAnother[0]?.leaf ?? null)}, Secret ${secret} holds ${shortHash(leaf)} (${formatSpan(leaf.validToDate.getTime() - leaf.validFromDate.getTime())} from ${leaf.validFromDate.toISOString().slice(0, 10)})${why}`;
      const remedy = `kubectl delete pod -n ${shellQuote(namespace)} ${names.map(shellQuote).join(' ')}`;
      return [finding('secret-differs', 'warn', detail, remedy)];
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
    if (probed.result.state !== 'presented') return [];
    const { chain } = probed.result;
    const [leaf] = chain;
    return leaf === undefined ? [] : [{ probed, chain, leaf, verification: verifier.verify(hook, chain) }];
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
