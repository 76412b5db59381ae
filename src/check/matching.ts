export type Labels = Readonly<Record<string, string>>;

export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

/** Labels of which some may be unknown, such as those of a namespace that is not readable. */
export interface KnownLabels {
  readonly labels: Labels;
  readonly complete: boolean;
}

const holds = (operator: string, value: string | undefined, values: readonly (string | undefined)[]): boolean => {
  switch (operator) {
    case 'In':
      return values.includes(value);
    case 'NotIn':
      return !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
};

/** Whether a label selector matches, as the API server evaluates it; null when that depends on an unknown label. */
export const selectorMatches = (selector: LabelSelector, { labels, complete }: KnownLabels): boolean | null => {
  const requirements = [
    ...Object.entries(selector.matchLabels).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ...selector.matchExpressions,
  ];
  const answers = requirements.map(({ key, operator, values }) =>
    labels[key] === undefined && !complete ? null : holds(operator, labels[key], values),
  );
  if (answers.includes(false)) return false;
  return answers.includes(null) ? null : true;
};
