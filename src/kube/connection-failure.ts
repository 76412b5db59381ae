import { KubeProblem } from './kube-problem.ts';
import { redact } from './redact.ts';

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** With several addresses Node says only "AggregateError"; the first of them tells why. */
function rootOf(error: Error): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : null;
  return first instanceof Error ? first : error;
}

/** Either side refuses the other's certificate, as OpenSSL and Node spell it. */
const untrusted = /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA)/;

/** Why no answer came. `error` is whatever the socket, TLS or the HTTP parser threw. */
export function connectionFailure(subject: string, error: Error, secret: string | null): KubeProblem {
  if (error instanceof KubeProblem) return error;
  const root = rootOf(error);
  const code = codeOf(root);
  const why = redact(root.message, secret) || root.name;
  return new KubeProblem(`${subject}: ${code === null || why.includes(code) ? why : `${why} (${code})`}`, {
    reason: code !== null && untrusted.test(code) ? 'Untrusted' : null,
  });
}
