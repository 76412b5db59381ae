import { fileURLToPath } from 'node:url';
import { loadHandler } from '../../src/webhook/load-handler.ts';

const example = (name: string) =>
  loadHandler(fileURLToPath(new URL(`../../examples/handlers/${name}.ts`, import.meta.url)), '.');
const [defaultField, requireLabels] = [await example('default-field'), await example('require-labels')];

/** The worked examples in one module, one a path. */
export default Object.fromEntries([
  ...['/mutate', '/validate'].map((path) => [path, defaultField(path)]),
  ['/labels', requireLabels('/labels')],
]);
