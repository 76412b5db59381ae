import defaultField from '../../manifests/examples/default-field.ts';
import requireLabels from '../../manifests/examples/require-labels.ts';

/** The worked examples in one module, one a path. */
export default { ...defaultField, '/labels': requireLabels };
