/** One request as kube-apiserver's own audit log has it. */
export interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource, as RBAC spells it; the path when it is about no resource. */
  readonly resource: string;
  readonly namespace: string | null;
  /** Null for a create and for what is selected by other things than its name. */
  readonly name: string | null;
  readonly code: number | null;
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** What daemons asked, out of the text of an audit log; what the specs ask in their name is left out. */
export const auditedRequests = (log: string): readonly AuditedRequest[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ userAgent }) => userAgent?.startsWith('webhook-certd/') === true)
    .map(({ verb, requestURI, user, objectRef, responseStatus }) => ({
      user: user.username,
      verb,
      group: objectRef?.apiGroup ?? '',
      resource: [objectRef?.resource ?? requestURI, objectRef?.subresource].filter(Boolean).join('/'),
      namespace: objectRef?.namespace ?? null,
      name: objectRef?.name ?? null,
      code: responseStatus?.code ?? null,
    }));
