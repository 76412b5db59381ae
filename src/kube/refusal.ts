import type { IncomingHttpHeaders } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { KubeProblem } from './kube-problem.ts';
import { redact } from './redact.ts';
import { statusSchema } from './status-schema.ts';

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** RFC 9110: seconds, or a date by the server's clock. */
function retryAfterMs(header: string | undefined, serverDate: string | undefined): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const waitMs = Date.parse(header) - (serverDate === undefined ? Date.now() : Date.parse(serverDate));
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs);
}

export interface Refusal {
  /** What was asked, as `requestSubject` says it. */
  readonly subject: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The credential that was sent along. */
  readonly secret: string | null;
}

/** Turns an answer other than 2xx into a problem. For a 403 the API server's own words name the verb and the resource. */
export function refusal({ subject, status, headers, body, secret }: Refusal): KubeProblem {
  const { reason, message, details } = statusSchema.parse(parsed(body));
  const said = redact(message, secret) || (STATUS_CODES[status] ?? 'without a reason');
  const date = typeof headers.date === 'string' ? headers.date : undefined;
  const hintMs = details.retryAfterSeconds === null ? null : details.retryAfterSeconds * 1000;
  return new KubeProblem(`${subject}: ${status} ${said}`, {
    status,
    reason,
    retryAfterMs: retryAfterMs(headers['retry-after'], date) ?? hintMs,
  });
}
