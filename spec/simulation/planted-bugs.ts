/** A deliberate bug: a few changed lines in the very files that run. */
export interface PlantedBug {
  readonly name: string;
  /** The laws of which one must notice. */
  readonly laws: readonly string[];
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** A history that finds it. Another change of streams/ may shift it: the spec then looks among the first thousand. */
  readonly seed: number;
}

const change = (file: string, find: string, replace: string) => ({ file, find, replace });

/** For each law a bug that breaks it, and the seed of a history that shows so. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'followers do not look whether the chain leads to the mounted bundle',
    laws: ['F1/F4/F5'],
    changes: [change('spec/simulation/load-ports.ts', 'if (strict && chain !== null)', 'if (false)')],
    seed: 1,
  },
  {
    name: 'followers serve what is mounted before it is announced',
    laws: ['F1/F4/F5'],
    changes: [
      change('streams/load-certificate.ts', 'if (mounted.hash !== hash)', 'if (mounted.hash === "")'),
      change(
        'spec/simulation/load-ports.ts',
        "if (files.crt !== hash) return no('hash-mismatch');",
        'hash = files.crt ?? hash;',
      ),
    ],
    seed: 4,
  },
  {
    name: 'the key is read from the generation that is mounted by now',
    laws: ['F1/F4/F5'],
    changes: [
      change(
        'spec/simulation/load-ports.ts',
        'const files = kept?.id === generation ? kept : null;',
        'const files = kept === null ? null : { ...kept, key: volume.current().key };',
      ),
    ],
    seed: 1,
  },
  {
    name: 'a load starts while another is in flight',
    laws: ['F2'],
    changes: [
      change('streams/single-flight.ts', '  EMPTY,', '  EMPTY,\n  mergeMap,'),
      change('streams/single-flight.ts', 'exhaustMap(() =>', 'mergeMap(() =>'),
    ],
    seed: 2,
  },
  {
    name: 'single flight is distinctUntilChanged and exhaustMap, which loses changes for ever',
    laws: ['F3', 'F7', 'convergence'],
    changes: [
      change('streams/single-flight.ts', '  EMPTY,', '  EMPTY,\n  distinctUntilChanged,'),
      change(
        'streams/single-flight.ts',
        'exhaustMap(() => flight$.pipe(repeat({ delay: again }))),',
        'distinctUntilChanged(), exhaustMap(() => flight$),',
      ),
    ],
    seed: 8,
  },
  {
    name: 'a rejected certificate takes the good one down',
    laws: ['F4/F6'],
    changes: [
      change(
        'streams/readiness.ts',
        'return { served, instead, obstacle:',
        "if (served !== null && occasion.type === 'certificate/rejected') return { served: { ...served, untrusted: 'planted' }, instead, obstacle, isSwapping: false }; return { served, instead, obstacle:",
      ),
    ],
    seed: 36,
  },
  {
    name: 'readiness outlives the certificate',
    laws: ['F4/F6'],
    changes: [change('streams/readiness.ts', 'nowMs >= notAfterMs', 'false')],
    seed: 206,
  },
  {
    name: 'readiness does not ask for a handshake',
    laws: ['F4/F6'],
    changes: [change('streams/readiness.ts', 'served.untrusted !== null', 'false')],
    seed: 68,
  },
  {
    name: 'nobody asks the Lease about a mount that was not announced',
    laws: ['F7'],
    changes: [change('streams/resync-requests.ts', 'mounted.generation === agreed ? null :', 'true ? null :')],
    seed: 491,
  },
  {
    name: 'the kubelet is never nudged',
    laws: ['F7'],
    changes: [change('streams/expected-hash.ts', 'map(({ expected }) => expected)', 'map(() => null)')],
    seed: 24,
  },
  {
    name: 'the planner narrows without waiting for acknowledgements',
    laws: ['L2'],
    changes: [change('streams/acknowledged.ts', 'return serving.some(', 'return true || serving.some(')],
    seed: 16,
  },
  {
    name: 'the Secret is written and announced before the caBundles are widened',
    laws: ['L2'],
    changes: [
      change('streams/plan-issuance.ts', 'const RULES = [inject, ', 'const RULES = ['),
      change('streams/plan-issuance.ts', 'announce, publishTrust,', 'announce, inject, publishTrust,'),
      change('streams/plan-issuance.ts', "if (isAlive && reason === 'other-ca'", 'if (false'),
      change(
        'streams/plan-issuance.ts',
        'if (isAnnouncementValid(observed.lease, nowMs) && observed.targets.some(loses))',
        'if (false)',
      ),
    ],
    seed: 83,
  },
  {
    name: 'a new CA forgets the older ones, and what the caBundles were given',
    laws: ['L2'],
    changes: [
      change('streams/plan-issuance.ts', 'isOverlapOver(view) ? [] : injectedCas(observed)', '[]'),
      change(
        'streams/plan-issuance.ts',
        'const keep = alive(ca.bundle, nowMs);',
        'const keep: readonly CertificateInfo[] = [];',
      ),
    ],
    seed: 108,
  },
  {
    name: 'a lost CA is replaced without a look at what is trusted, neither then nor later',
    laws: ['L2'],
    changes: [
      change('streams/plan-issuance.ts', ', inheritedCas(observed)), nowMs)', '), nowMs)'),
      change('streams/plan-issuance.ts', 'isOverlapOver(view) ? [] : injectedCas(observed)', '[]'),
    ],
    seed: 42,
  },
  {
    name: 'with an external issuer the announcement does not wait for the caBundles',
    laws: ['L2'],
    changes: [
      change(
        'streams/plan-external.ts',
        'if (next) return inject',
        'if (next && announcement?.hash === secret.hash) return inject',
      ),
      change('streams/plan-external.ts', 'if (isValid && (blocking.length > 0 || ', 'if (isValid && ('),
    ],
    seed: 89,
  },
  {
    name: 'the relay waits for no API server to take up the caBundles',
    laws: ['L2'],
    changes: [
      change(
        'streams/plan-relay.ts',
        'settling(observed, { ...trustOf, standing }, policy, nowMs);',
        'settling({ ...observed, targets: [] }, { ...trustOf, standing }, policy, nowMs);',
      ),
    ],
    seed: 7,
  },
  {
    name: 'the relay copies what callers would refuse',
    laws: ['L6'],
    changes: [
      change(
        'streams/plan-relay.ts',
        'if (problem !== null) return problem;',
        'if (problem !== null && leaf === null) return problem;',
      ),
    ],
    seed: 37,
  },
  {
    name: 'no certificate waits until every API server has taken up the caBundles',
    laws: ['L2'],
    changes: [change('streams/settle.ts', 'if (trustSettleMs === 0 ||', 'if (trustSettleMs >= 0 ||')],
    seed: 4,
  },
  {
    name: 'the time to take up the caBundles is counted by the wall clock, across leaders',
    laws: ['L2'],
    changes: [change('streams/settle.ts', '(ages?.trustedMs ?? nowMs - trusted.sinceMs)', '(nowMs - trusted.sinceMs)')],
    seed: 262,
  },
  {
    name: 'the fence is always open',
    laws: ['L3'],
    changes: [
      change('streams/renew-lease.ts', '!over && clock.monotonicMs() - renewedAtMs < renewDeadlineMs', 'true || over'),
    ],
    seed: 19,
  },
  {
    name: 'a renewal counts from its answer',
    laws: ['L3'],
    changes: [change('streams/renew-lease.ts', 'renewedAtMs = item.sentAtMs', 'renewedAtMs = clock.monotonicMs()')],
    seed: 449,
  },
  {
    name: 'a candidate does not wait for the Lease to expire',
    laws: ['L3'],
    changes: [change('streams/acquire-lease.ts', '? 0 : seen.durationMs', '? 0 : seen.durationMs / 4')],
    seed: 1,
  },
  {
    name: 'writes to the Lease do not wait for one another',
    laws: ['L3'],
    changes: [
      change(
        'streams/lease-writer.ts',
        'inTurn(defer(() => write(change, plannedOn)))',
        'defer(() => write(change, plannedOn))',
      ),
    ],
    seed: 4,
  },
  {
    name: 'a caBundle is written although it is as it should be',
    laws: ['L3'],
    changes: [
      change('streams/plan-issuance.ts', 'if (state.bundles.every((bundle) => same(bundle, ca.bundle))) continue;', ''),
    ],
    seed: 1,
  },
  {
    name: 'a fight over a caBundle does not slow down',
    laws: ['L4'],
    changes: [change('streams/contention.ts', 'isFight(history) && nowMs <', 'nowMs < 0 && nowMs <')],
    seed: 9,
  },
  {
    name: 'a leaf outlives its CA',
    laws: ['L5'],
    changes: [
      change('spec/simulation/symbolic-pki.ts', 'Math.min(nowMs + lifeMs, above.facts.notAfterMs)', 'nowMs + lifeMs'),
    ],
    seed: 2,
  },
  {
    name: 'Secrets are written with an external issuer',
    laws: ['L6'],
    changes: [change('streams/issuers.ts', 'plan: planExternal', 'plan: planIssuance')],
    seed: 4,
  },
  {
    name: 'a deleted object is not noticed',
    laws: ['convergence'],
    changes: [
      change('streams/tracked-object.ts', "{ known: 'absent', version: object.resourceVersion } : fold", 'fold : fold'),
    ],
    seed: 3,
  },
  {
    name: 'of acknowledgements that come together the last is never observed',
    laws: ['convergence'],
    changes: [change('streams/tracked-object.ts', 'trailing: true', 'trailing: false')],
    seed: 53,
  },
  {
    name: 'an acknowledgement that changes is no news',
    laws: ['convergence'],
    changes: [change('streams/tracked-object.ts', 'known?.servingHash === servingHash &&', 'known !== undefined &&')],
    seed: 2,
  },
  {
    name: 'a silent watch is never given up',
    laws: ['F8'],
    changes: [change('streams/resuming-watch.ts', 'each: staleAfterMs,', 'each: 2 ** 31,')],
    seed: 9,
  },
  {
    name: 'the tick does not read the Lease while there is no watch',
    laws: ['F8'],
    changes: [change('streams/lease-snapshot.ts', '(blind ? tick$ : EMPTY)', '(blind ? EMPTY : tick$)')],
    seed: 74,
  },
  {
    name: 'mounts are read when the directory says so, and at no other time',
    laws: ['F9'],
    changes: [change('streams/mounted-hash.ts', ', tick$.pipe(filter(() => !ports.isMountUnmoved())))', ')')],
    seed: 1,
  },
  {
    name: 'a new leaf goes without the new CA that the older one has signed',
    laws: ['L8'],
    changes: [change('spec/simulation/new-values.ts', "[leaf, ...bridges].join('+')", 'leaf')],
    seed: 2,
  },
  {
    name: 'a caBundle that has drifted waits for the tick',
    laws: ['L4'],
    changes: [
      change('streams/leader.ts', '      seen$,\n      merge(tick$', '      EMPTY as typeof seen$,\n      merge(tick$'),
    ],
    seed: 513,
  },
  {
    name: 'a target that refuses its write is planned again and again before everything else',
    laws: ['L9'],
    changes: [
      change(
        'streams/plan-issuance.ts',
        "if (typeof state === 'string' || held) continue;",
        "if (typeof state === 'string') continue;",
      ),
      change('streams/leader.ts', 'REPLANNED.has(type) ? 0 : null', "type === 'step/failed' ? 5_000 : null"),
    ],
    seed: 75,
  },
  {
    name: 'what is served is acknowledged without a look at the handshake',
    laws: ['F10'],
    changes: [change('streams/follower.ts', 'load.untrusted === null ? load.pair.hash : undefined', 'load.pair.hash')],
    seed: 68,
  },
  {
    name: 'the mounted hash is acknowledged although another server, which terminates TLS, does not show it',
    laws: ['F10', 'L2'],
    changes: [
      change('streams/follower.ts', 'return load.refused === null ? load.shown.hash : null;', 'return load.pair.hash;'),
    ],
    seed: 103,
  },
];
