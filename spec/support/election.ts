import { slowness } from './until.ts';

/**
 * Variables of an election in which a leader that has died is followed after about so many seconds, and one that is alive
 * goes on: its renewals get more time on a slow machine. LEASE_DURATION is in whole seconds.
 */
export const election = (seconds: number) => {
  const leaseS = Math.ceil(seconds * slowness);
  return {
    LEASE_DURATION: `${leaseS}s`,
    RENEW_DEADLINE: `${leaseS * 750}ms`,
    RETRY_PERIOD: `${seconds * 200}ms`,
  };
};
