import { setTimeout as sleep } from 'node:timers/promises';
import { type AdmissionHandler, allow } from '../../src/webhook/handler-api.ts';

/** Answers after as many ms as its path says: `/1500`. */
const handlers: Readonly<Record<string, AdmissionHandler>> = Object.fromEntries(
  [0, 1_500, 20_000].map((ms) => [`/${ms}`, () => sleep(ms).then(() => allow())]),
);

export default handlers;
