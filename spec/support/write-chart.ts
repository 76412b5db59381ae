import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { settings } from '../../src/config/variables.ts';
import { alertRules } from '../../src/manifests/monitoring.ts';
import { yamlList } from '../../src/manifests/yaml.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const CHART = join(ROOT, 'charts', 'webhook-certd');

/** What the chart sets by other values, or what each Pod has of its own. */
const NOT_IN_ENV = [
  'NAME',
  'POD_NAME',
  'POD_NAMESPACE',
  'POD_SELECTOR',
  'KUBECONFIG',
  'CA_BUNDLE_TARGETS',
  'CERT_ISSUER',
];

const TARGET =
  '^(validatingwebhookconfiguration|mutatingwebhookconfiguration|customresourcedefinition|apiservice)/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';

const text = (description?: string) => ({ type: 'string', ...(description === undefined ? {} : { description }) });
const map = (description: string) => ({ type: 'object', description, additionalProperties: { type: 'string' } });
const anything = (description: string) => ({ type: 'object', description });
const toggle = {
  type: 'object',
  properties: { enabled: { type: 'boolean' } },
  required: ['enabled'],
  additionalProperties: false,
};

/** The JSON schema of the chart's values; the names in `env` are those of the table of variables. */
const valuesSchema = (): object => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'webhook-certd',
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { ...text('name of this installation'), pattern: '^([a-z]([-a-z0-9]{0,48}[a-z0-9])?)?$' },
    image: {
      type: 'object',
      additionalProperties: false,
      properties: {
        repository: { ...text(), minLength: 1 },
        tag: text(),
        digest: { ...text(), pattern: '^(sha256:[0-9a-f]{64})?$' },
      },
    },
    imagePullSecrets: { type: 'array', items: { type: 'object' } },
    replicas: { type: 'integer', minimum: 1, maximum: 20 },
    mode: { enum: ['handler', 'upstream', 'serving'] },
    app: {
      type: 'object',
      additionalProperties: false,
      properties: { image: { ...text(), minLength: 1 }, extra: anything('more fields of the container app') },
    },
    issuer: { enum: ['self-signed', 'external', 'relay'] },
    targets: { type: ['array', 'null'], items: { ...text('TYPE/NAME'), pattern: TARGET } },
    webhook: {
      ...anything('fields of the webhook, in place of the example'),
      // The daemon owns the one field in it that changes.
      propertyNames: { not: { enum: ['clientConfig', 'name'] } },
    },
    env: {
      type: 'object',
      description: 'variables of the replicas: docs/configuration.md',
      additionalProperties: false,
      properties: Object.fromEntries(
        settings
          .filter(([, { name }]) => !NOT_IN_ENV.includes(name))
          .map(([, { name, meaning }]) => [name, { type: ['string', 'integer', 'boolean'], description: meaning }]),
      ),
    },
    policy: toggle,
    monitoring: toggle,
    networkPolicy: toggle,
    resources: anything('of the container webhook-certd'),
    podLabels: map('of the Pods'),
    podAnnotations: map('of the Pods'),
    priorityClassName: text(),
    nodeSelector: map('of the Pods'),
    tolerations: { type: 'array', items: { type: 'object' } },
    affinity: anything('of the Pods'),
    global: anything('set by Helm for all charts; not used'),
  },
});

/** The files of the chart that are generated, by path. Run this file to write them. */
export const chartFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['values.schema.json', `${JSON.stringify(valuesSchema(), null, 2)}\n`],
    ['files/alerts.yaml', yamlList(alertRules)],
    ['files/dashboard.json', readFileSync(join(ROOT, 'src', 'manifests', 'dashboard.json'), 'utf8')],
  ]);

if (import.meta.main)
  for (const [path, content] of chartFiles()) {
    mkdirSync(dirname(join(CHART, path)), { recursive: true });
    writeFileSync(join(CHART, path), content);
  }
