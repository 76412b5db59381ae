import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../support/raw-api.ts';
import { type Manifest, MANIFESTS, only, resources } from './rendered.ts';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const objects = resources('components', 'monitoring');

/** The component `monitoring` as its parts. */
export const monitoring = {
  objects,
  service: only(objects, 'Service'),
  serviceMonitor: only(objects, 'ServiceMonitor'),
  prometheusRule: only(objects, 'PrometheusRule'),
  /** What Prometheus itself calls a rule file. */
  ruleFile: only(objects, 'PrometheusRule').at('spec') as Json,
  rules: only(objects, 'PrometheusRule').at('spec', 'groups', 0, 'rules') as unknown as readonly AlertRule[],
  dashboard: JSON.parse(
    readFileSync(join(MANIFESTS, 'components', 'monitoring', 'dashboard.json'), 'utf8'),
  ) as Dashboard,
} satisfies Readonly<Record<string, Manifest | Json | readonly unknown[] | Dashboard>>;
