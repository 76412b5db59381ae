/**
 * Two handlers, one for each path. `/mutate` sets `automountServiceAccountToken: false` on a ServiceAccount that leaves
 * the field out; `/validate` denies mounting the token of the account `default`, which every Pod without an account of
 * its own would get. Choose a field without a default of the API server: those are set before a webhook is called.
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
      ? deny('automountServiceAccountToken: every Pod without a serviceAccountName would get this token', 422)
      : allow();
  },
} satisfies HandlerExport;

export default handlers;
