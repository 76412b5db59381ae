import { type RealApi, startRealApi } from '../support/real-api.ts';

let started: Promise<RealApi> | null = null;

/** One real API server for all fault specs, started by the first that asks: that is most of what they cost. */
export const sharedApi = (): Promise<RealApi> => (started ??= startRealApi());

// Outside of any suite: after all of them.
after(async () => {
  await (await started)?.[Symbol.asyncDispose]();
});
