import { KubeProblem } from './kube-problem.ts';
import { redact } from './redact.ts';
import { statusSchema } from './status-schema.ts';

/** The Status inside an ERROR line of a watch. Its code stands in for the HTTP status, which was 200. */
export function watchEventProblem(subject: string, object: unknown): KubeProblem {
  const { code, reason, message, details } = statusSchema.parse(object);
  return new KubeProblem(`${subject}: ${code ?? 'error'} ${redact(message) || (reason ?? 'without a reason')}`, {
    status: code,
    reason,
    retryAfterMs: details.retryAfterSeconds === null ? null : details.retryAfterSeconds * 1000,
  });
}
