/** The largest number a random source can give: every back-off lasts its whole delay, so pictures show round numbers. */
export const noJitter = (): number => 1 - Number.EPSILON;
