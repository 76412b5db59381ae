import type { LawOf } from './law.ts';

/** L6: with an external issuer no Secret is ever written. */
export const handsOff: LawOf = ({ machines, scenario }) => ({
  name: 'L6',
  hear: (signal) => {
    if (scenario.policy.issuer !== 'external' || signal.type !== 'written') return null;
    if (signal.kind !== 'secret' && signal.kind !== 'authority') return null;
    const isOurs = machines().some(({ name }) => name === signal.by);
    return isOurs ? `${signal.by} wrote ${signal.kind} with an external issuer` : null;
  },
});
