import type { AdmissionHandler } from '../../src/webhook/handler-api.ts';

/** Admits everything, and says by a warning which replica did: a create that carries none never reached a webhook. */
const admit: AdmissionHandler = () => ({
  allowed: true,
  warnings: [`admitted by ${process.env['POD_NAME'] ?? 'nobody'}`],
});

export default admit;
