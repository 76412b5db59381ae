import type { Backend } from './cluster-backends.ts';
import { endpointsText, type Finding, finding, type FindingId, type Severity } from './cluster-finding.ts';
import { serverText } from './cluster-hooks.ts';
import type { ProbeFailure } from './cluster-probe.ts';
import type { Probed, SurveyedHook } from './cluster-survey.ts';
import { shellQuote } from './kubectl.ts';

const FAILURES: Readonly<Record<ProbeFailure, FindingId>> = {
  closed: 'port-closed',
  unreachable: 'unreachable',
  'plain-http': 'plain-http',
  'no-handshake': 'no-handshake',
};

const IGNORED = ' (failurePolicy Ignore: requests pass without it)';

/** The URL of a webhook is the API server's to reach, and a network may let it where it does not let this program. */
const severityOf = ({ hook }: SurveyedHook, why: ProbeFailure): Severity =>
  why === 'unreachable' || hook.server.to === 'url' || !hook.blocks ? 'warn' : 'fail';

const endpointCommand = ({ backend }: SurveyedHook, probed: readonly Probed[]): string | null => {
  if (backend === null) return null;
  const namespace = shellQuote(backend.reference.namespace);
  const [pod] = probed.flatMap(({ endpoint }) => endpoint.pod ?? []);
  return pod === undefined
    ? `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${shellQuote(backend.reference.name)}`
    : `kubectl logs -n ${namespace} ${shellQuote(pod)} --all-containers --tail=50`;
};

const notInspected = (why: string): Finding =>
  finding('not-inspected', 'note', why, 'webhook-certd check --cluster --rbac');

/** Why a Service has no ready endpoint. */
const endpointless = (pods: Backend['pods'], selector: string): string => {
  if (selector === '') return 'it has no selector, so that its endpoints are set by hand';
  if (pods.state !== 'there') return `its Pods cannot be read: ${pods.why}`;
  const count = pods.value.length;
  if (count === 0) return 'no Pod matches its selector';
  const [reason] = pods.value.flatMap(({ name, problem }) => (problem === null ? [] : [` (${name}: ${problem})`]));
  return `${count} ${count === 1 ? 'Pod matches' : 'Pods match'} its selector, none is Ready${reason ?? ''}`;
};

const serviceFindings = ({ hook, backend }: SurveyedHook): readonly Finding[] => {
  if (backend === null) {
    if (hook.server.to === 'url' && URL.parse(hook.server.url)?.protocol === 'https:') return [];
    return [finding('not-inspected', 'note', `${serverText(hook)} is no https URL`, null)];
  }
  const { service, endpoints, reference, pods } = backend;
  const namespace = shellQuote(reference.namespace);
  const severity: Severity = hook.blocks ? 'fail' : 'warn';
  const suffix = hook.blocks ? '' : IGNORED;
  if (service.state === 'absent') {
    const detail = `there is no Service ${reference.name} in namespace ${reference.namespace}${suffix}`;
    return [finding('service-missing', severity, detail, `kubectl get services -n ${namespace}`)];
  }
  if (service.state !== 'there') return [notInspected(service.why)];
  if (endpoints.state !== 'there') return [notInspected(endpoints.why)];
  const { ports, externalName } = service.value;
  if (externalName === null && !ports.some(({ port }) => port === reference.port)) {
    const listed = ports.map(({ port }) => port).join(', ') || 'none';
    const detail = `Service ${reference.name} has no port ${reference.port}, its ports are ${listed}${suffix}`;
    return [
      finding(
        'port-missing',
        severity,
        detail,
        `kubectl get service -n ${namespace} ${shellQuote(reference.name)} -o yaml`,
      ),
    ];
  }
  if (endpoints.value.some(({ ready }) => ready)) return [];
  const selector = Object.entries(service.value.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const why = endpointless(pods, selector);
  const command = `kubectl get pods -n ${namespace}${selector === '' ? '' : ` -l ${shellQuote(selector)}`}`;
  return [finding('no-endpoint', severity, `${why}${suffix}`, command)];
};

const probeFindings = (surveyed: SurveyedHook): readonly Finding[] => {
  const { probes, hook } = surveyed;
  const failed = probes.flatMap(({ endpoint, result }) =>
    result.state === 'failed' ? [{ endpoint, result, probe: result }] : [],
  );
  return [
    ...Map.groupBy(failed, ({ probe }) => `${probe.why} ${probe.detail.replace(/\S*\d\S*/g, '')}`).values(),
  ].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { why, detail } = first.probe;
    const suffix = hook.blocks ? '' : IGNORED;
    return [
      finding(
        FAILURES[why],
        severityOf(surveyed, why),
        `${endpointsText(group, probes)}: ${detail}${suffix}`,
        endpointCommand(surveyed, group),
      ),
    ];
  });
};

/** What Go offers as a client since 1.18. */
const ACCEPTED = ['TLSv1.2', 'TLSv1.3'];

const protocolFindings = (surveyed: SurveyedHook): readonly Finding[] => {
  const { probes, hook } = surveyed;
  const presented = probes.flatMap(({ endpoint, result }) =>
    result.state === 'presented' ? [{ endpoint, result, protocol: result.protocol }] : [],
  );
  const old = presented.filter(({ protocol }) => !ACCEPTED.includes(protocol));
  const only12 = presented.filter(({ protocol }) => protocol === 'TLSv1.2');
  const [first] = old;
  return [
    ...(first === undefined
      ? []
      : [
          finding(
            'tls-too-old',
            hook.blocks ? 'fail' : 'warn',
            `${endpointsText(old, probes)}: nothing newer than ${first.protocol}, the API server needs TLSv1.2`,
            endpointCommand(surveyed, old),
          ),
        ]),
    ...(only12.length === 0
      ? []
      : [finding('tls-1.2-only', 'note', `${endpointsText(only12, probes)}: TLSv1.2 at most; calls work`, null)]),
  ];
};

const skippedFindings = ({ probes, mounted }: SurveyedHook): readonly Finding[] => {
  const skipped = probes.flatMap(({ endpoint, result }) =>
    result.state === 'skipped' ? [{ endpoint, result, detail: result.detail }] : [],
  );
  const [first] = skipped;
  const [secret] = mounted?.problems ?? [];
  return [
    ...(first === undefined ? [] : [notInspected(`${endpointsText(skipped, probes)}: ${first.detail}`)]),
    ...(secret === undefined
      ? []
      : [finding('not-inspected', 'note', secret, 'webhook-certd check --cluster --secrets --rbac')]),
  ];
};

/** What can be told from the way to a hook's server: Service, endpoints, connections, TLS. */
export const reachFindings = (surveyed: SurveyedHook): readonly Finding[] => [
  ...serviceFindings(surveyed),
  ...probeFindings(surveyed),
  ...protocolFindings(surveyed),
  ...skippedFindings(surveyed),
];
