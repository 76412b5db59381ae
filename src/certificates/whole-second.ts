/** X.509 times have no fractions: the whole second that has begun. */
export const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
