import type { Variable } from './variable.ts';
import { variables } from './variables.ts';

type Groups = typeof variables;
type Rows = { [G in keyof Groups]: (group: Groups[G]) => void }[keyof Groups] extends (group: infer All) => void
  ? All
  : never;

/** What the variables say once read, one field each. */
export type Settings = {
  readonly [F in keyof Rows]: Rows[F] extends Variable<infer T> ? T : never;
};

/** Every variable with the field it fills, in the order of the table. */
export const settings = Object.values(variables).flatMap((group) => Object.entries(group)) as readonly (readonly [
  keyof Settings,
  Variable<unknown>,
])[];
