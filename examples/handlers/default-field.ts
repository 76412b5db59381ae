/**
 * Two handlers, one for each path. `/mutate` sets `automountServiceAccountToken: false` on a ServiceAccount that leaves
 * the field out; `/validate` denies mounting the token of the account `default`, which every Pod without an account of
 * its own would get. Choose a field without a default of the API server: those are set before a webhook is called.
 *
 *     webhook-certd try examples/handlers/default-field.ts examples/objects/serviceaccount.yaml --path /mutate
 */
import { type AdmissionHandler, allow, deny, type KubeObject, mutate } from 'webhook-certd/handler';

/** Or V1ServiceAccount of @kubernetes/client-node. */
interface ServiceAccount extends KubeObject {
  readonly automountServiceAccountToken?: boolean;
}

const setDefault: AdmissionHandler<ServiceAccount> = ({ object }) => {
  if (!object || object.automountServiceAccountToken !== undefined) return allow();
  const after = { ...object, automountServiceAccountToken: false };
  return mutate(object, after, { auditAnnotations: { defaulted: 'automountServiceAccountToken' } });
};

const validate: AdmissionHandler<ServiceAccount> = ({ object }) =>
  object?.metadata?.name === 'default' && object.automountServiceAccountToken === true
    ? deny('automountServiceAccountToken: every Pod without a serviceAccountName would get this token', 422)
    : allow();

export default { '/mutate': setDefault, '/validate': validate };
