import { defer, finalize, map, mergeMap, NEVER, Observable, of, tap, throwError, timer } from 'rxjs';
import { issuers } from '../../streams/issuers.ts';
import type { LoadPorts, PairCheck } from '../../streams/load-certificate.ts';
import type { NotShown, VerifiedPair, VolumeSnapshot } from '../../streams/model.ts';
import type { MountPorts } from '../../streams/mounted-hash.ts';
import { Problem } from '../../streams/problem.ts';
import { chainProblem } from './chain-problem.ts';
import type { Generation } from './generation.ts';
import type { SimulatedNeighbour } from './neighbour.ts';
import type { ProcessContext } from './process-context.ts';
import type { LoadPart } from './signal.ts';

const readingOf = ({ id, crt }: Generation): VolumeSnapshot => ({ generation: id, hash: crt, problem: null });

const no = (reason: string, retryable = false): PairCheck => ({ ok: false, reason, retryable });

/** As the real pair carries its bytes. */
const withFiles = (pair: VerifiedPair, files: Generation): PairCheck => {
  const servable: VerifiedPair & { readonly files: Generation } = { ...pair, files };
  return { ok: true, pair: servable };
};

/** As src/webhook/serving.ts over a modelled volume and a modelled TLS server. */
export const loadPorts = (context: ProcessContext): LoadPorts & MountPorts => {
  const { clock, host, machine, pki, random, scenario, tell, time } = context;
  const { volume } = machine;
  let kept: Generation | null = null;

  const reading = (): VolumeSnapshot => {
    kept = null;
    if (random.chance(0.002)) return { generation: 'torn', hash: null, problem: 'torn' };
    kept = volume.current();
    return readingOf(kept);
  };

  /** A glance tells as much as a reading when nothing has moved. */
  const isMountUnmoved = (): boolean => {
    if (kept?.id !== volume.current().id) return false;
    tell({ type: 'mount/read', machine, reading: readingOf(kept) });
    return true;
  };

  const verdictOf = (files: Generation, hash: string): PairCheck => {
    if (files.crt !== hash) return no('hash-mismatch');
    const leaf = pki.get(hash.split('+')[0] ?? '');
    if (leaf === undefined) return no('not-pem');
    if (leaf.key !== files.key) return no('key-mismatch');
    const nowMs = clock.wallMs();
    if (nowMs < leaf.facts.notBeforeMs) return no('not-yet-valid', true);
    if (nowMs >= leaf.facts.notAfterMs) return no('expired');
    const { enforcesClientRules: strict, mayLackTrust } = issuers[scenario.policy.issuer];
    if (strict && !scenario.policy.names.every((name) => leaf.facts.names.includes(name))) return no('names');
    const isUnknown = strict && mayLackTrust && files.trust.length === 0;
    const chain = isUnknown ? null : chainProblem(pki, hash, files.trust, nowMs);
    if (strict && chain !== null) return no(`untrusted: ${chain}`);
    const advice = chain === null ? [] : [chain];
    return {
      ok: true,
      pair: { hash, generation: files.id, leaf: leaf.facts, bundle: pki.factsOf(files.trust), advice },
    };
  };

  const part = <T>(name: LoadPart, work: () => T): Observable<T> =>
    defer(() => {
      let flying = true;
      const land = (): void => {
        if (flying) tell({ type: 'load/ended', machine, part: name });
        flying = false;
      };
      tell({ type: 'load/began', machine, part: name });
      return timer(random.int(0, scenario.loadPartMs)).pipe(tap(land), map(work), finalize(land));
    });

  /** As src/webhook/neighbour.ts. */
  const shownBy = (neighbour: SimulatedNeighbour, { hash, bundle }: VerifiedPair): string | NotShown | null => {
    const shown = neighbour.served()?.pair ?? null;
    if (shown === null || random.chance(0.005))
      return { kind: 'neighbour-unreachable', detail: 'no answer', shown: null, refused: null };
    const anchors = bundle.map(({ fingerprint }) => fingerprint);
    const refused = chainProblem(pki, shown.hash, anchors, clock.wallMs());
    tell({ type: 'shook-hands', machine, hash: shown.hash, problem: refused });
    if (shown.hash === hash) return refused;
    return { kind: 'served-elsewhere', detail: `neighbour shows ${shown.hash}`, shown, refused };
  };

  return {
    mountMoved$: scenario.inotify
      ? new Observable((subscriber) =>
          volume.onSwap(() => time.after(host, random.int(0, 20), () => subscriber.next('moved'))),
        )
      : NEVER,
    isMountUnmoved,
    readMount: () =>
      timer(random.int(0, 15)).pipe(
        map(() => {
          const now = reading();
          tell({ type: 'mount/read', machine, reading: now });
          return now;
        }),
      ),
    verify: ({ generation }, { hash }) =>
      defer(() => {
        const files = kept?.id === generation ? kept : null;
        if (files === null) return of(null);
        return part('verify', () => verdictOf(files, hash)).pipe(
          map((verdict): PairCheck => (verdict.ok ? withFiles(verdict.pair, files) : verdict)),
        );
      }),
    serve: (pair) =>
      machine.neighbour !== null
        ? part('serve', () => undefined)
        : part('serve', () => !random.chance(0.005)).pipe(
            mergeMap((works) => {
              if (!works) return throwError(() => new Problem('cannot be served: out of luck'));
              const { files } = pair as typeof pair & { readonly files: Generation };
              tell({ type: 'served', machine, pair, files });
              return of(undefined);
            }),
          ),
    handshake: (pair) =>
      part('handshake', () => {
        if (machine.neighbour !== null) return shownBy(machine.neighbour, pair);
        const anchors = pair.bundle.map(({ fingerprint }) => fingerprint);
        const problem = random.chance(0.005) ? 'no answer' : chainProblem(pki, pair.hash, anchors, clock.wallMs());
        const { enforcesClientRules, mayLackTrust } = issuers[scenario.policy.issuer];
        const isUnknown = !enforcesClientRules || (mayLackTrust && anchors.length === 0);
        const untrusted = isUnknown && problem !== 'no answer' ? null : problem;
        tell({ type: 'shook-hands', machine, hash: pair.hash, problem: untrusted });
        return untrusted;
      }),
  };
};
