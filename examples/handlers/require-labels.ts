/**
 * Denies an object that lacks the required labels, and warns about one that will be required later.
 *
 *     webhook-certd try examples/handlers/require-labels.ts examples/objects/deployment.yaml
 */
import { type AdmissionHandler, allow, deny } from 'webhook-certd/handler';

const required = ['app.kubernetes.io/name', 'team'];
const recommended = 'cost-center';

const requireLabels: AdmissionHandler = ({ object, operation }) => {
  // An object without the labels must remain deletable.
  if (operation === 'DELETE') return allow();
  const labels = object?.metadata?.labels ?? {};
  const missing = required.filter((label) => (labels[label] ?? '') === '');
  if (missing.length > 0) return deny(`missing labels: ${missing.join(', ')}`, 422);
  return labels[recommended] === undefined
    ? allow({ warnings: [`label ${recommended} will be required from next year on`] })
    : allow();
};

export default requireLabels;
