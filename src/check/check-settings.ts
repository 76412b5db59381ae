import { settingName, settingText } from '../config/setting-text.ts';
import type { Settings } from '../config/variables.ts';
import { shellQuote } from './kubectl.ts';
import type { Difference, Located } from './locate.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';

const assigned = ({ field, pods }: Difference): string => `${settingName(field)}=${settingText(field, pods)}`;

const showSettings = ({ config: { namespace } }: Located, pod: string): string =>
  `kubectl get pod ${shellQuote(pod)} -n ${namespace} -o yaml`;

const showPods = ({ config: { namespace } }: Located): string => `kubectl get pods -n ${namespace} --show-labels`;

/** A setting that this command was told, where the Pods say something else. */
export const differenceText = (difference: Difference): string =>
  `your Pods say ${assigned(difference)}, and this command was told ${settingText(difference.field, difference.own)}: it goes by the Pods`;

/** What this command was told, where the Pods say something else. */
const checkDifference = (located: Located, pod: string, difference: Difference): CheckResult =>
  warn(
    `${settingName(difference.field)} is that of the replicas`,
    differenceText(difference),
    showSettings(located, pod),
  );

const checkSelector = (located: Located): readonly CheckResult[] => {
  const { pod, config, isSelected } = located;
  if (pod === null || isSelected) return [];
  const labels = Object.entries(pod.labels).map(([key, value]) => `${key}=${value}`);
  const detail = `POD_SELECTOR=${config.podSelector} does not match Pod ${pod.name}, whose labels are ${labels.join(', ') || 'none'}: its acknowledgements do not count`;
  return [fail('POD_SELECTOR matches the replicas', detail, showPods(located))];
};

/** Checks the settings that are gone by: whether the Pods have them, and all Pods the same. */
export const checkSettings = (located: Located): readonly CheckResult[] => {
  const { config, pod, differences, disagreement, unread, broken, candidates } = located;
  const targets = config.caBundleTargets.length;
  const parts = [
    `namespace ${config.namespace}`,
    `Lease ${config.leaseName}`,
    `Secret ${config.secretName}`,
    `Service ${config.serviceName}`,
    targets === 0 ? 'no caBundle target' : targets === 1 ? '1 caBundle target' : `${targets} caBundle targets`,
    ...(config.sourceSecret !== null
      ? [`certificates from Secret ${config.sourceSecret}`]
      : config.issuer.keepsCa
        ? []
        : ['certificates from an external issuer']),
  ];
  const leases = candidates.map(({ lease, selector }) => `${lease} (POD_SELECTOR=${selector})`).join(', ');
  return [
    ok('configuration is complete', `${parts.join(', ')}${pod === null ? '' : `; as Pod ${pod.name} says`}`),
    ...(candidates.length === 0
      ? []
      : [
          fail(
            'one installation is meant',
            `POD_SELECTOR=${config.podSelector} matches no Pod of ${config.namespace}, which has the installations ${leases}: select one`,
            showPods(located),
          ),
        ]),
    ...(pod === null ? [] : differences.map((each) => checkDifference(located, pod.name, each))),
    ...(broken === null
      ? []
      : [
          fail(
            `replica ${broken.pod} can read its settings`,
            broken.problems.join('; '),
            showSettings(located, broken.pod),
          ),
        ]),
    ...(pod === null || disagreement === null
      ? []
      : [
          warn(
            'replicas have the same settings',
            `${disagreement.pod} says ${disagreement.differences.map(assigned).join(', ')}, and ${pod.name} says otherwise; a rollout ends that`,
            showPods(located),
          ),
        ]),
    ...checkSelector(located),
    ...[...unread]
      .filter(([field]) => ESSENTIAL.has(field))
      .map(([field, from]) =>
        skipped(`${settingName(field)} of the replicas is known`, `${from} has it, which is not read`),
      ),
  ];
};

/** Settings that most checks depend on. */
const ESSENTIAL: ReadonlySet<keyof Settings> = new Set([
  'leaseName',
  'secretName',
  'serviceName',
  'annotationPrefix',
  'caBundleTargets',
  'podSelector',
]);
