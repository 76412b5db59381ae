import type { AdmissionHandler } from './admission-types.ts';

/** Admits everything: `WEBHOOK_HANDLER=builtin:allow`, to try the certificates before there is a handler. */
export const allowAll: AdmissionHandler = () => ({ allowed: true });
