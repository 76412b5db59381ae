import { catchError, defer, from, map, of, switchMap, tap, throwError, timer } from 'rxjs';
import type { LoadPorts } from '../../streams/load-certificate.ts';
import type { MountPorts } from '../../streams/mounted-hash.ts';
import { Problem } from '../../streams/problem.ts';
import type { Mount } from '../certificates/mount.ts';
import { type ServablePair, verifyPair } from '../certificates/verify-pair.ts';
import type { Config } from '../config/config.ts';
import type { TlsEndpoint } from './tls-endpoint.ts';

/**
 * Our own handshake comes after a swap by so much, ms: it costs what three callers' would, and they wait for the new
 * certificate. At a start nobody is called before it.
 */
const CALLERS_FIRST_MS = 20;

/** What a load does outside: read the mount, check the pair, swap the server's certificate, shake hands with it. */
export const loadPorts = (mount: Mount, server: TlsEndpoint, config: Config): LoadPorts & MountPorts => {
  // Only pairs that `verify` has passed come back to be served.
  const servable = (pair: unknown): ServablePair => pair as ServablePair;

  let serves = 0;
  let trusted: readonly string[] = [];
  /** Callers kept from before a CA was dropped hold a certificate that nobody trusts any more. */
  const retireDropped = ({ bundle }: ServablePair): void => {
    const before = trusted;
    trusted = bundle.map(({ fingerprint }) => fingerprint);
    if (before.some((fingerprint) => !trusted.includes(fingerprint))) server.retire();
  };

  return {
    mountMoved$: mount.moved$,
    isMountUnmoved: () => mount.isUnmoved(),
    readMount: () => mount.read(),
    verify: ({ generation }, { hash }) =>
      defer(() => {
        const files = mount.files(generation);
        if (files === null) return of(null);
        const verdict = verifyPair(files, {
          hash,
          generation,
          names: config.serviceNames,
          nowMs: Date.now(),
          external: !config.issuer.enforcesClientRules,
        });
        if (verdict.ok) return of(verdict);
        return of({ ok: false as const, reason: `${verdict.reason}: ${verdict.detail}`, retryable: verdict.retryable });
      }),
    serve: (pair) =>
      defer(() => from(server.serve(servable(pair)))).pipe(
        tap(() => (serves += 1)),
        map(() => retireDropped(servable(pair))),
        catchError((error: unknown) =>
          throwError(() => (error instanceof Error ? new Problem(`cannot be served: ${error.message}`) : error)),
        ),
      ),
    handshake: (pair) =>
      (serves > 1 ? timer(CALLERS_FIRST_MS) : of(0)).pipe(
        switchMap(() =>
          from(
            server.handshake(
              `${config.serviceName}.${config.namespace}.svc`,
              config.issuer.enforcesClientRules ? servable(pair).trust : null,
            ),
          ),
        ),
        map(({ fingerprint }) =>
          fingerprint === pair.leaf.fingerprint ? null : 'the handshake showed another certificate',
        ),
        catchError((error: unknown) => (error instanceof Problem ? of(error.message) : throwError(() => error))),
      ),
  };
};
