const isNumber = (version: string): boolean => /^\d+$/.test(version);

/**
 * Whether one resourceVersion is older than another. They rise as numbers in every API server there is; where one
 * does not parse it counts as newer, so that nothing is ever ignored for being strange.
 */
export const isOlderVersion = (version: string, than: string): boolean =>
  isNumber(version) && isNumber(than) && BigInt(version) < BigInt(than);
