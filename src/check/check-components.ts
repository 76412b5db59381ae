import type { PolicyInfo, SelectingObject, ServiceInfo } from './inspect-components.ts';
import type { PodInfo } from './inspect-pod.ts';
import { alivePods, shellQuote } from './kubectl.ts';
import { type Labels, selectorMatches } from './matching.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';
import { type ClusterSnapshot, ownCalls } from './snapshot.ts';

const textOf = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ') || 'none';

const showPods = ({ config }: ClusterSnapshot): string => `kubectl get pods -n ${config.namespace} --show-labels`;

const isSelected = ({ selector }: ServiceInfo, { labels }: PodInfo): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Whether a port of the Service leads to a port number in a Pod. */
const leadsTo = ({ targetPorts }: ServiceInfo, port: number, { containers }: PodInfo): boolean =>
  targetPorts.some((target) =>
    typeof target === 'number' ? target === port : containers.some(({ namedPorts }) => namedPorts.get(target) === port),
  );

const checkService = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { components, config, targets } = snapshot;
  if (components.services.state !== 'there') return [];
  const service = components.services.value.find((each) => each.name === config.serviceName);
  const isCalled = targets.some(
    ({ object }) =>
      object.state === 'there' && ownCalls({ config }, object.value).some((call) => call.service !== null),
  );
  const name = 'Service exists';
  if (service === undefined) {
    const detail = `there is no Service ${config.serviceName} in ${config.namespace}, which the API server is to call`;
    return isCalled ? [fail(name, detail, `kubectl get services -n ${config.namespace} --show-labels`)] : [];
  }
  const [pod] = alivePods(snapshot);
  const { selector } = service;
  const show = `kubectl get service ${shellQuote(config.serviceName)} -n ${config.namespace} -o yaml`;
  if (pod === undefined || Object.keys(selector).length === 0) return [ok(name, config.serviceName)];
  const { port } = config.webhookBind;
  return [
    ok(name, config.serviceName),
    isSelected(service, pod)
      ? ok('Service selects the replicas', textOf(selector))
      : fail(
          'Service selects the replicas',
          `it selects ${textOf(selector)}, and the labels of Pod ${pod.name} are ${textOf(pod.labels)}`,
          showPods(snapshot),
        ),
    leadsTo(service, port, pod)
      ? ok('Service leads to the port of the webhook', String(port))
      : fail(
          'Service leads to the port of the webhook',
          `none of its ports leads to ${port}, the port of WEBHOOK_BIND_ADDRESS`,
          show,
        ),
  ];
};

/** Names that tell that an object is meant for an installation of this program. */
const isMeantForUs = ({ config }: ClusterSnapshot, pods: readonly PodInfo[], object: SelectingObject): boolean => {
  const NAME = 'app.kubernetes.io/name';
  const named = [...pods.map(({ labels }) => labels[NAME]), config.serviceName, 'kubetemplater', 'webhook-certd'];
  return named.some((each) => each !== undefined && (object.labels[NAME] === each || object.name.includes(each)));
};

const checkSelecting = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const pods = alivePods(snapshot);
  const { components, config } = snapshot;
  const services = components.services.state === 'there' ? components.services.value : null;
  return components.selecting
    .filter((object) => isMeantForUs(snapshot, pods, object))
    .flatMap((object): readonly CheckResult[] => {
      const candidates = object.selects === 'Pods' ? pods : services;
      // Without replicas nothing can be matched, which is reported on its own.
      if (candidates === null || pods.length === 0) return [];
      const matchesOne = (labels: Labels): boolean =>
        selectorMatches(object.selector, { labels, complete: true }) === true;
      const matches = candidates.some(({ labels }) => matchesOne(labels));
      // It has an effect on another program, whose name is a longer one of ours: `orders-api` beside `orders`.
      if (!matches && object.selects === 'Pods' && components.podLabels?.some(matchesOne) === true) return [];
      const name = `${object.type} ${object.name} matches ${object.selects === 'Pods' ? 'the replicas' : 'a Service'}`;
      const what = object.selects === 'Pods' ? 'no replica' : 'no Service of the namespace';
      const show = `kubectl get ${object.type} ${shellQuote(object.name)} -n ${config.namespace} -o yaml`;
      return [matches ? ok(name, '') : warn(name, `its selector matches ${what}, so it has no effect`, show)];
    });
};

const checkPolicy = (
  snapshot: ClusterSnapshot,
  { name: policy, accounts, prefixes }: PolicyInfo,
): readonly CheckResult[] => {
  const { components, config } = snapshot;
  const name = `validatingadmissionpolicy ${policy} restricts replicas`;
  const show = `kubectl get validatingadmissionpolicy,validatingadmissionpolicybinding -o yaml`;
  if (components.bound !== null && !components.bound.has(policy))
    return [warn(name, 'no binding applies it, so it has no effect', show)];
  const known = components.accounts;
  const missing = known === null ? [] : accounts.filter((account) => !known.has(account));
  if (accounts.length > 0 && missing.length === accounts.length)
    return [
      warn(name, `it is for ServiceAccount ${missing.join(', ')}, which no namespace has, so it has no effect`, show),
    ];
  const own = alivePods(snapshot).map(({ serviceAccount }) => serviceAccount ?? 'default');
  if (!accounts.some((account) => own.includes(account))) return [];
  return prefixes.includes(config.annotationPrefix)
    ? [ok(name, `ServiceAccount ${accounts.join(', ')}`)]
    : [
        warn(
          name,
          `it allows annotations of ${prefixes.join(', ')}, and the replicas write those of ${config.annotationPrefix}: they are refused`,
          show,
        ),
      ];
};

/** Checks that what belongs to the installation beside its workload refers to it by names and labels that it has. */
export const checkComponents = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { services } = snapshot.components;
  const name = 'components match the replicas';
  if (services.state === 'forbidden') return [skipped(name, 'not readable with these permissions')];
  if (services.state === 'failed') return [skipped(name, services.why)];
  return [
    ...checkService(snapshot),
    ...checkSelecting(snapshot),
    ...snapshot.components.policies.flatMap((policy) => checkPolicy(snapshot, policy)),
  ];
};
