/** For code that embeds the daemon, and for handlers. What is not here may change without notice. */
export { createWebhook } from './create-webhook.ts';
export type { Webhook, WebhookOptions } from './create-webhook.ts';
export { createCertificates } from './create-certificates.ts';
export type { Certificates, CertificatesOptions } from './create-certificates.ts';
export type { EmbedOptions, Running, ServedCertificate } from './embed-types.ts';
export type { LogFields, LogLevel, Logger } from './logger.ts';
export { Problem } from '../streams/problem.ts';
export type { CertificateFacts, VerifiedPair } from '../streams/model.ts';
export type { Readiness, UnreadyReason } from '../streams/readiness.ts';
export * from './webhook/kit.ts';
