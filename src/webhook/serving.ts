import type { AddressInfo } from 'node:net';
import { catchError, defer, from, map, of, switchMap, tap, throwError, timer } from 'rxjs';
import type { LoadPorts } from '../../streams/load-certificate.ts';
import type { MountPorts } from '../../streams/mounted-hash.ts';
import { Problem } from '../../streams/problem.ts';
import type { Mount } from '../certificates/mount.ts';
import { type ServablePair, verifyPair } from '../certificates/verify-pair.ts';
import type { Config } from '../config/config.ts';
import type { Handshake } from './loopback-handshake.ts';
import type { Neighbour } from './neighbour.ts';

/** A server that presents verified pairs: the webhook's own, or that of the program that embeds the daemon. */
export interface TlsEndpoint {
  /** Presents this pair from now on. Rejects when the pair cannot be used, and leaves the previous one in place. */
  serve(pair: ServablePair): Promise<unknown>;
  /** Closes the connections that were accepted with an earlier pair, because its CA is no longer trusted. */
  retire(): void;
  /** Performs one handshake with itself. @throws Problem with the reason why a caller would have failed */
  handshake(servername: string, trust: Buffer | string | null): Promise<Handshake>;
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** Null until the first certificate is served. */
  readonly address: AddressInfo | null;
}

/**
 * Delay of the loopback handshake after a swap, in ms: it costs as much as the handshakes of three callers, which wait for
 * the new certificate. There is no delay at the start, when there are no callers yet.
 */
const HANDSHAKE_DELAY_MS = 20;

/**
 * Connects the core to mount and server: reads the mount, verifies the pair, swaps the certificate, makes a handshake.
 *
 * @param neighbour makes the handshakes where another server terminates TLS
 */
export const loadPorts = (
  mount: Mount,
  server: TlsEndpoint,
  neighbour: Neighbour | null,
  config: Config,
): LoadPorts & MountPorts => {
  // Only pairs that `verify` returned are passed here.
  const servable = (pair: unknown): ServablePair => pair as ServablePair;

  let serves = 0;
  let verified: ServablePair | null = null;
  let trusted: readonly string[] = [];
  /** Closes connections from before a CA was dropped: their certificate is no longer trusted. */
  const retireDropped = ({ bundle }: ServablePair): void => {
    const before = trusted;
    trusted = bundle.map(({ fingerprint }) => fingerprint);
    if (before.some((fingerprint) => !trusted.includes(fingerprint))) server.retire();
  };

  const ownHandshake: LoadPorts['handshake'] = (pair) =>
    (serves > 1 ? timer(HANDSHAKE_DELAY_MS) : of(0)).pipe(
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
    );

  return {
    mountMoved$: mount.moved$,
    isMountUnmoved: () => mount.isUnmoved(),
    readMount: () => mount.read(),
    verify: ({ generation }, { hash }) =>
      defer(() => {
        const files = mount.files(generation);
        if (files === null) return of(null);
        // A neighbour is looked at again at each tick; what was verified once stays so, and readiness knows when it ends.
        if (neighbour !== null && verified?.generation === generation && verified.hash === hash)
          return of({ ok: true as const, pair: verified });
        const result = verifyPair(files, {
          hash,
          generation,
          names: config.requiredNames,
          nowMs: Date.now(),
          external: !config.issuer.enforcesClientRules,
          mayLackTrust: config.issuer.mayLackTrust,
        });
        if (result.ok) {
          verified = result.pair;
          return of(result);
        }
        return of({ ok: false as const, reason: `${result.reason}: ${result.detail}`, retryable: result.retryable });
      }),
    serve: (pair) =>
      defer(() => from(server.serve(servable(pair)))).pipe(
        tap(() => (serves += 1)),
        map(() => retireDropped(servable(pair))),
        catchError((error: unknown) =>
          throwError(() => (error instanceof Error ? new Problem(`cannot be served: ${error.message}`) : error)),
        ),
      ),
    handshake: neighbour === null ? ownHandshake : (pair) => defer(() => from(neighbour.prove(servable(pair)))),
  };
};
