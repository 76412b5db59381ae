import { expect } from 'chai';
import { startCallingReplicas } from '../support/calling-replicas.ts';
import { install, type Installation, type ReplicaOptions, type SpecReplica } from '../support/installation.ts';
import type { RealApi } from '../support/real-api.ts';
import { LOADED, settled } from '../support/rotate-all.ts';
import { type StandingObjects, standingObjects } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';

/** Long enough for a busy machine, short enough for a spec. */
const ENV = {
  LEASE_DURATION: '9s',
  RENEW_DEADLINE: '6s',
  RETRY_PERIOD: '1s',
  WATCH_STALE_AFTER: '5s',
  CA_OVERLAP: '200ms',
};

export interface FaultedOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly kubeletDelayMs?: number;
  /** Whether a replica is one that the cluster would call. Default: each that has been ready. */
  readonly isCalled?: (replica: SpecReplica) => boolean;
}

/** Replicas that somebody calls all the time with a handshake each, and what is to hold of them whatever befalls them. */
export interface Faulted extends AsyncDisposable {
  readonly installation: Installation;
  readonly objects: () => StandingObjects;
  /** Starts one, and resolves once it serves. */
  replica(options?: ReplicaOptions): Promise<SpecReplica>;
  leader(): SpecReplica;
  /** Asks for a rotation of the leaf and resolves with its hash once it is announced. */
  announced(withinMs?: number): Promise<string>;
  /** Every replica serves what is announced, is ready and watches the Lease, and nothing of a rotation is left to be done. */
  converged(withinMs?: number): Promise<void>;
  /** Watches the objects anew: an API server that was gone has ended the watches. */
  look(): Promise<void>;
  /** No call failed and nobody said a word on stderr, since the last time that this was asked. */
  expectUnharmed(): void;
}

export const faulted = async (
  api: RealApi,
  { env = {}, kubeletDelayMs = 100, isCalled = () => true }: FaultedOptions = {},
): Promise<Faulted> => {
  await using opened = new AsyncDisposableStack();
  const installation = opened.use(await install(api, { env: { ...ENV, ...env }, kubeletDelayMs }));
  const replicas: SpecReplica[] = [];
  let objects: StandingObjects | null = null;
  let judged = 0;
  const standing = (): StandingObjects => {
    if (objects === null) throw new Error('there is no replica yet');
    return objects;
  };
  const look = async (): Promise<void> => {
    const before = objects;
    objects = await standingObjects(installation);
    before?.[Symbol.dispose]();
  };
  opened.defer(() => objects?.[Symbol.dispose]());
  const calling = opened.use(
    startCallingReplicas({
      endpoints: () => (objects === null ? [] : replicas.filter(isCalled)),
      caBundle: () => standing().caBundle(),
      serverName: installation.serverName,
      everyMs: 100,
    }),
  );

  const serves = async (replica: SpecReplica, hash: string | undefined): Promise<boolean> => {
    const { text, code } = await replica.probe('/status').catch(() => ({ text: '{}', code: 0 }));
    const { served, ready } = JSON.parse(text) as { served?: { hash?: string } | null; ready?: boolean };
    return code === 200 && served?.hash === hash && ready === true;
  };

  /** After a fault it may be in the pause before a retry, while all else has recovered: the next fault would find no watch. */
  const watchesLease = ({ lines }: SpecReplica): boolean => {
    const last = lines.findLast((line) => String(line['event']).startsWith('watch-') && line['object'] === undefined);
    // Of a replica that logs elsewhere nothing is known.
    return last === undefined || last['event'] === 'watch-established';
  };

  const everything = opened.move();
  return {
    installation,
    objects: standing,
    replica: async (options) => {
      const replica = await installation.replica(options);
      if (options?.stdout === undefined) await replica.line(LOADED, {}, 60_000);
      if (objects === null) await look();
      await until(() => serves(replica, standing().leaseAnnotation('cert-hash')), 60_000);
      replicas.push(replica);
      return replica;
    },
    leader: () => {
      const leader = replicas.find(({ name }) => name === standing().holder());
      if (leader === undefined) throw new Error(`nobody of ours leads, but "${standing().holder()}"`);
      return leader;
    },
    announced: async (withinMs = 90_000) => {
      const before = standing().leaseAnnotation('cert-hash');
      await installation.annotateLease({ rotate: 'leaf' });
      await until(() => standing().leaseAnnotation('cert-hash') !== before, withinMs);
      return standing().leaseAnnotation('cert-hash') ?? '';
    },
    converged: async (withinMs = 120_000) => {
      await settled(standing(), withinMs);
      for (const replica of replicas) {
        await until(() => serves(replica, standing().leaseAnnotation('cert-hash')), withinMs);
        await until(() => watchesLease(replica), withinMs);
      }
    },
    look,
    expectUnharmed: () => {
      expect(calling.failures.slice(judged)).to.deep.equal([]);
      judged = calling.failures.length;
      for (const { stderr } of replicas) expect(stderr()).to.equal('');
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
