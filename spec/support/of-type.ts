import { filter, type OperatorFunction } from 'rxjs';

/** Picks one type of event out of many. */
export const ofType = <E extends { readonly type: string }, T extends E['type']>(
  type: T,
): OperatorFunction<E, Extract<E, { readonly type: T }>> =>
  filter((event): event is Extract<E, { readonly type: T }> => event.type === type);
