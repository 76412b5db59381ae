/** Says how long something took that began at `sinceMs` (performance.now()). */
export const recovered = (sinceMs: number, what = 'recovered'): void => {
  console.log(`      ${what} in ${Math.round(performance.now() - sinceMs)} ms`);
};
