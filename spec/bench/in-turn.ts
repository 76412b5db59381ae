/**
 * Measures several things A B A B …, so that a machine that slows down or speeds up meanwhile does so for all of them.
 * A first round, in which caches fill, does not count.
 */
export const inTurn = async <Name extends string>(
  rounds: number,
  measured: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Readonly<Record<Name, readonly number[]>>> => {
  const names = Object.keys(measured) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const value = await measured[name]();
      if (round > 0) values[name].push(value);
    }
  }
  return values;
};
