import { type AdmissionRequest, excludeNamespace, lacksName, ruleMatches } from './check-admission.ts';
import { few, type Finding, finding } from './cluster-finding.ts';
import { type Hook, namespaceOf } from './cluster-hooks.ts';
import { injectionsOf, isKnownWriter, writerName } from './cluster-issuer.ts';
import type { SurveyedHook } from './cluster-survey.ts';
import { shellQuote } from './kubectl.ts';
import { type KnownLabels, selectorMatches } from './matching.ts';

interface RepairWrite extends AdmissionRequest {
  readonly kind: string;
  readonly labels: KnownLabels;
}

const UNKNOWN: KnownLabels = { labels: {}, complete: false };

/** The writes in the namespace of a webhook without which it is not repaired: its Pods, certificates and election. */
const repairWrites = ({ backend }: SurveyedHook): readonly RepairWrite[] => {
  const [pod] = backend?.pods.state === 'there' ? backend.pods.value : [];
  const of = (kind: string, apiGroup: string, resource: string, operation: string, labels: KnownLabels) => ({
    kind,
    apiGroup,
    resource,
    subresource: '',
    operation,
    labels,
  });
  return [
    of('Pods', '', 'pods', 'CREATE', pod === undefined ? UNKNOWN : { labels: pod.labels, complete: true }),
    of('Secrets', '', 'secrets', 'UPDATE', UNKNOWN),
    of('Leases', 'coordination.k8s.io', 'leases', 'UPDATE', UNKNOWN),
  ];
};

const repairFindings = (surveyed: SurveyedHook): readonly Finding[] => {
  const { hook, namespaceLabels } = surveyed;
  const namespace = namespaceOf(hook);
  if (hook.matching === null || !hook.blocks || namespace === null || namespaceLabels?.state !== 'there') return [];
  const { rules, namespaceSelector, objectSelector, isConditional } = hook.matching;
  const labels: KnownLabels = { labels: namespaceLabels.value, complete: true };
  if (selectorMatches(namespaceSelector, labels) !== true) return [];
  const blocked = repairWrites(surveyed).filter(
    (write) => rules.some((rule) => ruleMatches(rule, write)) && selectorMatches(objectSelector, write.labels) === true,
  );
  if (blocked.length === 0) return [];
  const kinds = blocked.map(({ kind }) => kind).join(', ');
  const unless = isConditional ? ', unless its matchConditions exclude them' : '';
  const detail = `failurePolicy is Fail, and its rules match ${kinds} in its own namespace ${namespace}${unless}`;
  // The pointer is /webhooks/AT/clientConfig/caBundle: only admission webhooks have rules.
  const at = Number(hook.pointer.split('/')[2]);
  const remedy = excludeNamespace({
    ...hook.object,
    namespace,
    isUnlabelled: lacksName(labels, namespace),
    webhooks: [{ at, namespaceSelector, rules }],
  });
  return [finding('blocks-own-repair', 'warn', detail, remedy)];
};

const quotedBundle = (bundle: Buffer): string =>
  bundle.toString('latin1').trim() === '' ? 'an empty placeholder' : 'another caBundle';

/** What speaks for a second writer of one caBundle; null when nothing does. */
const contention = (hook: Hook): string | null => {
  if (hook.writers.length > 1) return `${few(hook.writers)} are recorded as managers of this caBundle`;
  const [last] = hook.writers;
  const injections = injectionsOf(hook);
  const injectors = [...new Set(injections.map(([, injector]) => injector))];
  const annotations = injections.map(([annotation]) => annotation).join(' and ');
  if (injectors.length > 1) return `${annotations} ask two injectors for it`;
  const [injector] = injectors;
  if (injector !== undefined && last !== undefined && isKnownWriter(last) && writerName(last) !== injector)
    return `annotation ${annotations} asks ${injector} for it, but ${last} wrote it last`;
  const { appliedCaBundle: applied, caBundle } = hook;
  if (applied !== null && caBundle !== null && !applied.equals(caBundle))
    return `the last kubectl apply wrote ${quotedBundle(applied)}${last === undefined ? '' : `, ${last} replaced it`}; the next apply puts it back`;
  return null;
};

const managerFindings = (hook: Hook): readonly Finding[] => {
  const detail = contention(hook);
  const { type, name } = hook.object;
  const remedy = `kubectl get ${type} ${shellQuote(name)} -o yaml --show-managed-fields`;
  return detail === null ? [] : [finding('two-managers', 'warn', detail, remedy)];
};

const skippedVerification = (hook: Hook): readonly Finding[] => {
  if (!hook.skipsVerification) return [];
  const patch = JSON.stringify([
    { op: 'remove', path: '/spec/insecureSkipTLSVerify' },
    { op: 'add', path: '/spec/caBundle', value: 'BASE64_OF_THE_CA' },
  ]);
  const detail = 'insecureSkipTLSVerify is true: any server at the address of the Service is trusted';
  const remedy = `kubectl patch apiservice ${shellQuote(hook.object.name)} --type=json -p ${shellQuote(patch)}`;
  return [finding('verification-skipped', 'warn', detail, remedy)];
};

/** What can be told from the objects alone. */
export const configFindings = (surveyed: SurveyedHook): readonly Finding[] => [
  ...skippedVerification(surveyed.hook),
  ...repairFindings(surveyed),
  ...managerFindings(surveyed.hook),
];
