import { X509Certificate } from 'node:crypto';
import { defer, finalize, type Observable, of, switchMap, throwError, timer } from 'rxjs';
import { type Hook, HOOK_LISTS } from '../../src/check/cluster-hooks.ts';
import type { ProbeFailure, ProbeResult } from '../../src/check/cluster-probe.ts';
import type { Probed, SurveyedHook } from '../../src/check/cluster-survey.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The reader of the objects of one collection: `apiservices`. */
export const hooksIn = (collection: string): ((object: unknown) => readonly Hook[]) => {
  const found = HOOK_LISTS.find(({ path }) => path.endsWith(`/${collection}`));
  if (found === undefined) throw new Error(`no list of ${collection}`);
  return found.hooksOf;
};

export interface GivenHook {
  /** The field managers of its caBundle, in the order of their writes. */
  readonly managers?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly kind?: 'webhook' | 'conversion';
  /** In place of the Service. */
  readonly url?: string;
  /** Its caBundle, and what kubectl applied for it. */
  readonly caBundle?: string;
  readonly applied?: string;
}

/** The hook of an object as the API server answers it; the server is the Service `svc` in the namespace `ns`. */
export const hookOf = (given: GivenHook): Hook => {
  const { managers = [], labels = {}, kind = 'webhook', url, caBundle = 'a', applied } = given;
  const leaf = { 'f:clientConfig': { 'f:caBundle': {} } };
  const owned = {
    webhook: { 'f:webhooks': { 'k:{"name":"a.example.com"}': leaf } },
    conversion: { 'f:spec': { 'f:conversion': { 'f:webhook': leaf } } },
  }[kind];
  const managedFields = managers.map((manager, at) => ({
    manager,
    time: `2026-01-0${at + 1}T00:00:00Z`,
    fieldsV1: owned,
  }));
  const server = url === undefined ? { service: { name: 'svc', namespace: 'ns' } } : { url };
  const clientConfig = { ...server, caBundle: base64(caBundle) };
  const manifest = { webhooks: [{ clientConfig: { caBundle: base64(applied ?? '') } }] };
  const annotations = {
    ...(applied === undefined ? {} : { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(manifest) }),
    ...given.annotations,
  };
  const [hook] = hooksIn(kind === 'webhook' ? 'validatingwebhookconfigurations' : 'customresourcedefinitions')({
    metadata: { name: 'configuration', annotations, labels, managedFields },
    webhooks: [{ name: 'a.example.com', clientConfig }],
    spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig } } },
  });
  return hook!;
};

/** A hook of which nothing else is known. */
export const surveyedOf = (hook: Hook, rest: Partial<Omit<SurveyedHook, 'hook'>> = {}): SurveyedHook => ({
  hook,
  backend: null,
  probes: [],
  namespaceLabels: null,
  mounted: null,
  ...rest,
});

/** An endpoint, by its Pod or its address, and what it showed. */
export const probed = (pod: string | null, result: ProbeResult): Probed => ({
  endpoint: { address: '10.0.0.1', port: 8443, ready: true, pod },
  result,
});

export const presented = (protocol: string, chain: readonly X509Certificate[] = []): ProbeResult => ({
  state: 'presented',
  chain,
  protocol,
});

export const failed = (why: ProbeFailure, detail: string): ProbeResult => ({ state: 'failed', why, detail });

export const certificateOf = ({ pem }: { readonly pem: string }): X509Certificate => new X509Certificate(pem);

/** What an API server answers to `PATH?QUERY` or else to `PATH`: an object, or a status for an error; 404 to anything else. */
export type Answers = Readonly<Record<string, unknown>>;

/** A client of an API server that answers like this, and what was asked of it: `PATH` or `PATH?QUERY`, limits aside. */
export const answering = (answers: Answers) => {
  const asked: string[] = [];
  let underWay = 0;
  let most = 0;
  const send = ({ path, query = {} }: KubeRequest): Observable<unknown> =>
    defer(() => {
      const text = Object.entries(query).flatMap(([name, value]) => (name === 'limit' ? [] : [`${name}=${value}`]));
      const question = [path, ...text].join('?');
      asked.push(question);
      underWay += 1;
      most = Math.max(most, underWay);
      const answer = answers[question] ?? answers[path] ?? 404;
      const answer$ =
        typeof answer === 'number'
          ? throwError(() => new ApiError(`status ${answer} for ${path}`, { status: answer }))
          : of(answer);
      return timer(0).pipe(
        switchMap(() => answer$),
        finalize(() => (underWay -= 1)),
      );
    });
  return { client: { send } as unknown as KubeClient, asked, most: () => most };
};
