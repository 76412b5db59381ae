/**
 * Two handlers, one a path. `/mutate` gives a ServiceAccount that says nothing about it
 * `automountServiceAccountToken: false`; `/validate` refuses a token for everybody, which is what the account called
 * `default` would be. A field must have no default of the API server's own: by the time a webhook is asked, it is set.
 *
 *     WEBHOOK_HANDLER=manifests/examples/default-field.ts
 */
import { allow, deny, type HandlerExport, type KubeObject, mutate } from '../../src/webhook/handler-api.ts';

interface ServiceAccount extends KubeObject {
  readonly automountServiceAccountToken?: boolean;
}

const handlers = {
  '/mutate': ({ object }) => {
    const before = (object ?? {}) as ServiceAccount;
    if (before.automountServiceAccountToken !== undefined) return allow();
    const after = { ...before, automountServiceAccountToken: false };
    return mutate(before, after, { auditAnnotations: { defaulted: 'automountServiceAccountToken' } });
  },
  '/validate': ({ object }) => {
    const { metadata, automountServiceAccountToken: mounts } = (object ?? {}) as ServiceAccount;
    return metadata?.name === 'default' && mounts === true
      ? deny('automountServiceAccountToken: every Pod that names no account would get this token', 422)
      : allow();
  },
} satisfies HandlerExport;

export default handlers;
