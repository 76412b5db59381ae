/**
 * Refuses an object without the labels that everybody here agreed on, and reminds of one that is coming.
 *
 *     WEBHOOK_HANDLER=manifests/examples/require-labels.ts
 */
import { type AdmissionHandler, allow, deny } from '../../src/webhook/handler-api.ts';

const required = ['app.kubernetes.io/name', 'team'];
const wished = 'cost-center';

const requireLabels: AdmissionHandler = ({ object, operation }) => {
  // Somebody must be able to delete what should never have been there.
  if (operation === 'DELETE') return allow();
  const labels = object?.metadata?.labels ?? {};
  const missing = required.filter((label) => (labels[label] ?? '') === '');
  if (missing.length > 0) return deny(`missing labels: ${missing.join(', ')}`, 422);
  return labels[wished] === undefined
    ? allow({ warnings: [`label ${wished} will be required from next year on`] })
    : allow();
};

export default requireLabels;
