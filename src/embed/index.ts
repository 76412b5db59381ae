/** The public API for embedding the daemon and for handlers. Everything else may change without notice. */
export type { CertificateInfo, VerifiedPair } from '../../streams/model.ts';
export { Problem } from '../../streams/problem.ts';
export type { Readiness, UnreadyReason } from '../../streams/readiness.ts';
export type { LogFields, Logger } from '../logging/logger.ts';
export type { LogLevel } from '../logging/plain.ts';
export type * from '../webhook/admission-types.ts';
export { allow, deny, jsonPatch, mutate, type Operation } from '../webhook/handler-api.ts';
export type { Certificates, CertificatesOptions } from './create.ts';
export type { Webhook, WebhookOptions } from './create.ts';
export { createCertificates } from './create.ts';
export { createWebhook } from './create.ts';
export type { EmbedOptions, Running, ServedCertificate } from './embed.ts';
