import type { Settings } from './variables.ts';

type Field = keyof Settings;

/** How a field was set, in words, and whether it was set at all. */
export type LabelOf = (field: Field) => string;
export type IsDefault = (field: Field) => boolean;

/** client-go's JitterFactor: a retry period is stretched by at most this much, and must still fit the deadline. */
const JITTER_FACTOR = 1.2;

const longerThan = [
  ['leaseDurationMs', 'renewDeadlineMs', 1],
  ['renewDeadlineMs', 'retryPeriodMs', JITTER_FACTOR],
  ['certValidityMs', 'renewBeforeMs', 1],
  ['caValidityMs', 'caRenewBeforeMs', 1],
] as const satisfies readonly (readonly [Field, Field, number])[];

const binds = ['webhookBind', 'probeBind', 'metricsBind'] as const satisfies readonly Field[];

/** Who asks for short-lived certificates means these too: they are then renewed after two thirds of their life. */
const yielding: ReadonlySet<Field> = new Set(['renewBeforeMs', 'caRenewBeforeMs']);

const durations = (values: Partial<Settings>, labelOf: LabelOf, isStandard: IsDefault): readonly string[] =>
  longerThan.flatMap(([longer, shorter, factor]) => {
    const [longerMs, shorterMs] = [values[longer], values[shorter]];
    if (yielding.has(shorter) && isStandard(shorter)) return [];
    if (longerMs === undefined || shorterMs === undefined || longerMs > shorterMs * factor) return [];
    const times = factor === 1 ? '' : `${factor} times `;
    return [`${labelOf(longer)}: expected more than ${times}${labelOf(shorter)}`];
  });

const ports = (values: Partial<Settings>, labelOf: LabelOf): readonly string[] =>
  binds.flatMap((field, index) =>
    binds.slice(index + 1).flatMap((other) => {
      const [one, two] = [values[field], values[other]];
      if (!one || !two || one.port === 0 || one.port !== two.port) return [];
      const overlap = one.host === null || two.host === null || one.host === two.host;
      return overlap ? [`${labelOf(other)}: expected another port than ${labelOf(field)}`] : [];
    }),
  );

const admission = ({ handlerModule, upstream }: Partial<Settings>, labelOf: LabelOf): readonly string[] => {
  // Undefined is a value already refused, which is problem enough.
  if (handlerModule === undefined || upstream === undefined) return [];
  if ((handlerModule === null) !== (upstream === null)) return [];
  return [`${labelOf('handlerModule')} and ${labelOf('upstream')}: expected exactly one of the two`];
};

/**
 * What no single value tells.
 *
 * @param values The fields that could be read; a rule about a missing one says nothing.
 * @param serves Whether calls will be answered, which takes a handler or an upstream.
 */
export const crossChecks = (
  values: Partial<Settings>,
  { labelOf, isStandard }: { readonly labelOf: LabelOf; readonly isStandard: IsDefault },
  serves: boolean,
): readonly string[] => [
  ...durations(values, labelOf, isStandard),
  ...ports(values, labelOf),
  ...(serves ? admission(values, labelOf) : []),
];
