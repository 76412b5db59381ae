/** Freezes a plain value and everything in it, so that no part of the program can change what was configured. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach((each) => deepFreeze<unknown>(each));
  }
  return value;
}
