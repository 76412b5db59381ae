import type { AdmissionRule } from './target-schema.ts';

/** A request as admission sees it. */
export interface AdmissionRequest {
  readonly operation: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
}

const among = (values: readonly string[], wanted: string): boolean => values.includes('*') || values.includes(wanted);

/** `pods`, `pods/status`, `pods/*`, `*` (no subresources) and the like, as the API server reads them. */
const covers = (pattern: string, { resource, subresource }: AdmissionRequest): boolean => {
  const [wantedResource = '', wantedSub = ''] = pattern.split('/');
  return ['*', resource].includes(wantedResource) && ['*', subresource].includes(wantedSub);
};

/** Whether a webhook's rule sends this request, about something in a namespace and of version v1, to the webhook. */
export const ruleMatches = (rule: AdmissionRule, request: AdmissionRequest): boolean =>
  rule.scope !== 'Cluster' &&
  among(rule.operations, request.operation) &&
  among(rule.apiGroups, request.apiGroup) &&
  among(rule.apiVersions, 'v1') &&
  rule.resources.some((pattern) => covers(pattern, request));
