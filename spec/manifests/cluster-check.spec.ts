import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import { clusterRole, clusterRules } from '../../src/check/cluster-access.ts';
import { clusterGauges } from '../../src/check/cluster-metrics.ts';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { only, resources } from './rendered.ts';
import { asKubernetesReads } from './schemas.ts';

const access = resources('cluster-check', 'access');
const objects = [...access, ...resources('cluster-check')];
const cronJob = only(resources('cluster-check-cronjob'), 'CronJob');
const LABELS = { 'app.kubernetes.io/name': 'webhook-certd-cluster-check' };

interface PodSpec {
  readonly serviceAccountName: string;
  readonly securityContext: unknown;
  readonly containers: readonly [
    {
      readonly image: string;
      readonly args: readonly string[];
      readonly resources: unknown;
      readonly securityContext: unknown;
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    },
  ];
}

const pod = only(objects, 'Deployment').at('spec', 'template', 'spec') as unknown as PodSpec;

describe('the manifests of the cluster check', () => {
  it('have no field that Kubernetes does not know', () => {
    for (const object of [...objects, cronJob])
      expect(asKubernetesReads(object), object.kind).to.deep.equal(object.json);
  });

  it('grant what --rbac prints, and no more', () => {
    const rules = clusterRules({ portForward: false, secrets: false });
    const granted = rules.map(({ group, resources: names, verbs }) => ({
      apiGroups: [group],
      resources: names,
      verbs,
    }));
    expect(only(objects, 'ClusterRole').at('rules')).to.deep.equal(granted);
    const [printed] = loadAll(clusterRole({ portForward: false, secrets: false })) as { readonly rules: unknown }[];
    expect(printed?.rules).to.deep.equal(granted);
    expect(only(objects, 'ClusterRoleBinding').at('subjects', 0, 'name')).to.equal(pod.serviceAccountName);
  });

  it('never grant a write, or a Secret', () => {
    const rules = clusterRules({ portForward: false, secrets: false });
    expect(rules.flatMap(({ verbs }) => verbs)).to.satisfy((verbs: readonly string[]) =>
      verbs.every((verb) => ['get', 'list'].includes(verb)),
    );
    expect(rules.flatMap(({ resources: names }) => names)).not.to.include('secrets');
  });

  it('start the program with flags that it knows, at the port that the Service names', () => {
    const [{ args, ports }] = pod.containers;
    const { command, options, problems } = parseCommandLine(args);
    expect({ command, problems }).to.deep.equal({ command: 'check', problems: [] });
    expect(options).to.include({ cluster: true, everyMs: 600_000, secrets: false });
    expect(options).to.have.deep.property('listen', { host: null, port: ports[0]?.containerPort });
    const service = only(objects, 'Service');
    expect(service.at('spec', 'ports', 0, 'targetPort')).to.equal(ports[0]?.name);
    expect(service.at('spec', 'selector')).to.deep.equal(LABELS);
    expect(only(objects, 'Deployment').at('spec', 'template', 'metadata', 'labels')).to.deep.equal(LABELS);
  });

  it('run the same as a CronJob, once at a time, as a Job that fails where the check does', () => {
    const job = cronJob.at('spec', 'jobTemplate', 'spec', 'template', 'spec') as unknown as PodSpec;
    const { command, options, problems } = parseCommandLine(job.containers[0].args);
    expect({ command, problems }).to.deep.equal({ command: 'check', problems: [] });
    expect(options).to.include({ cluster: true, everyMs: null, secrets: false });
    expect(cronJob.at('spec', 'concurrencyPolicy')).to.equal('Forbid');
    expect(cronJob.at('spec', 'jobTemplate', 'spec', 'backoffLimit')).to.equal(0);
    expect(job.serviceAccountName).to.equal(only(access, 'ServiceAccount').name);
    expect(job.securityContext).to.deep.equal(pod.securityContext);
    for (const field of ['image', 'resources', 'securityContext'] as const)
      expect(job.containers[0][field], field).to.deep.equal(pod.containers[0][field]);
  });

  it('alert on metrics that there are', () => {
    const report = { server: '', version: '', nowMs: 0, warnBeforeMs: 0, hooks: [], calendar: [], unreadable: [] };
    const counts = { fail: 0, warn: 0, ok: 0, unknown: 0 };
    const known = clusterGauges({ ...report, counts }).map(({ name }) => name);
    const rule = only(resources('cluster-check-monitoring'), 'PrometheusRule');
    const named = JSON.stringify(rule.json).match(/\bwebhook_certd_\w+/g) ?? [];
    expect(named).to.not.be.empty;
    for (const name of named) expect(known).to.include(name);
  });
});
