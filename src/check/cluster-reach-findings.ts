import type { Backend } from './cluster-backends.ts';
import { endpointsText, type Finding, finding, type FindingId, type Severity } from './cluster-finding.ts';
import { namespaceOf, serverText } from './cluster-hooks.ts';
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

const endpointCommand = ({ hook, backend }: SurveyedHook, probed: readonly Probed[]): string | null => {
  const namespace = namespaceOf(hook);
  const pods = probed.flatMap(({ endpoint }) => endpoint.pod ?? []);
  if (namespace === null || backend === null) return null;
  const [pod] = pods;
  return pod === undefined
    ? `kubectl get endpointslices -n ${shellQuote(namespace)} -l kubernetes.io/service-name=${shellQuote(backend.reference.name)}`
    : `kubectl logs -n ${shellQuote(namespace)} ${shellQuote(pod)} --all-containers --tail=50`;
};

/** Why a Service has no ready endpoint. */
const endpointless = (pods: Backend['pods'], selector: string): string => {
  if (selector === '') return 'it has no selector, so that its endpoints are set by hand';
  if (pods.state !== 'there') return `its Pods cannot be read: ${pods.why}`;
  const count = pods.value.length;
  if (count === 0) return 'no Pod matches its selector';
  const broken = pods.value.find(({ problem }) => problem !== null);
  const reason = broken === undefined ? '' : ` (${broken.name}: ${broken.problem ?? ''})`;
  return `${count} ${count === 1 ? 'Pod matches' : 'Pods match'} its selector, none is Ready${reason}`;
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
  const unreadable = [service, endpoints, pods].flatMap((each) =>
    each.state === 'there' || each.state === 'absent' ? [] : [each.why],
  );
  if (service.state !== 'there' || endpoints.state !== 'there')
    return unreadable
      .slice(0, 1)
      .map((why) => finding('not-inspected', 'note', why, 'webhook-certd check --cluster --rbac'));
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
  const ofProtocol = (matches: (protocol: string) => boolean): readonly Probed[] =>
    probes.filter(({ result }) => result.state === 'presented' && matches(result.protocol));
  const old = ofProtocol((protocol) => !ACCEPTED.includes(protocol));
  const only12 = ofProtocol((protocol) => protocol === 'TLSv1.2');
  const newest = old.flatMap(({ result }) => (result.state === 'presented' ? result.protocol : []))[0] ?? '';
  return [
    ...(old.length === 0
      ? []
      : [
          finding(
            'tls-too-old',
            hook.blocks ? 'fail' : 'warn',
            `${endpointsText(old, probes)}: nothing newer than ${newest}, the API server needs TLSv1.2`,
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
    ...(first === undefined
      ? []
      : [
          finding(
            'not-inspected',
            'note',
            `${endpointsText(skipped, probes)}: ${first.detail}`,
            'webhook-certd check --cluster --rbac',
          ),
        ]),
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
