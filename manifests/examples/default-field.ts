/**
 * Two handlers, one a path: `/mutate` gives a Deployment a revision history limit when it has none, `/validate` refuses
 * more than is sensible.
 *
 *     WEBHOOK_HANDLER=manifests/examples/default-field.ts
 */
import { allow, deny, mutate, type HandlerExport, type KubeObject } from '../../src/webhook/kit.ts';

interface Deployment extends KubeObject {
  readonly spec?: { readonly revisionHistoryLimit?: number };
}

const defaultLimit = 3;
const largestLimit = 10;

const handlers: HandlerExport = {
  '/mutate': ({ object }) => {
    const before = (object ?? {}) as Deployment;
    if (before.spec?.revisionHistoryLimit !== undefined) return allow();
    const after = { ...before, spec: { ...before.spec, revisionHistoryLimit: defaultLimit } };
    return mutate(before, after, { auditAnnotations: { defaulted: 'spec.revisionHistoryLimit' } });
  },
  '/validate': ({ object }) => {
    const limit = (object as Deployment | null | undefined)?.spec?.revisionHistoryLimit ?? defaultLimit;
    return limit <= largestLimit
      ? allow()
      : deny(`spec.revisionHistoryLimit: ${limit} is more than ${largestLimit}`, 422);
  },
};

export default handlers;
