import { formatSpan } from '../util/time.ts';
import { shellQuote } from './kubectl.ts';
import { describeLease } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';
import { type ClusterSnapshot, isHeldBy } from './snapshot.ts';

/** A Date header counts whole seconds, so smaller differences are noise. */
const SUSPICIOUS_MS = 30_000;
/** Certificates are backdated by one hour (L5), but other issuers allow for less. */
const WRONG_MS = 5 * 60_000;

const SET_CLOCK = `sh -c ${shellQuote('chronyc -a makestep || timedatectl set-ntp true')}`;

/** Sets the clock of a node; null: that of this machine. */
const setClock = (nodeName: string | null): string =>
  nodeName === null
    ? `sudo ${SET_CLOCK}`
    : `kubectl debug node/${nodeName} -it --image=busybox --profile=sysadmin -- chroot /host ${SET_CLOCK}`;

const checkClock = (name: string, skewMs: number, remedy: string): CheckResult => {
  const apart = formatSpan(skewMs);
  if (Math.abs(skewMs) <= SUSPICIOUS_MS) return ok(name, Math.abs(skewMs) < 2_000 ? 'to the second' : `${apart} apart`);
  const detail = `it is ${apart} ${skewMs > 0 ? 'behind' : 'ahead of'} the API server's`;
  const report = Math.abs(skewMs) > WRONG_MS ? fail : warn;
  return report(name, detail, remedy);
};

/** Checks that the API server answers, that the Lease can be watched, and that clocks agree. */
export const checkApiServer = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { config, inReplica, lease, renewal, pods, skewMs, watchProblem, paths } = snapshot;
  const { holderSkewMs } = renewal;
  const nodeOf = (isMeant: (name: string) => boolean): string | null =>
    pods.state === 'there' ? (pods.value.find(({ name }) => isMeant(name))?.nodeName ?? null) : null;
  const holder = lease.state === 'there' ? lease.value.holder : null;
  const own = inReplica ? nodeOf((name) => name === config.identity) : null;
  const leading = holder === null ? null : nodeOf((name) => isHeldBy(holder, name));
  const here = "this machine's clock is right";
  const there = "the leader's clock is right";
  const watch = `${paths.lease.collection}?watch=true&timeoutSeconds=5&fieldSelector=metadata.name%3D${paths.lease.name}`;
  return [
    ok('API server answers', `${snapshot.server}, ${snapshot.version}`),
    watchProblem === null
      ? ok('Lease can be watched', 'a watch opens')
      : fail('Lease can be watched', watchProblem, `kubectl get --raw ${shellQuote(watch)}`),
    skewMs === null ? skipped(here, 'the API server sent no Date header') : checkClock(here, skewMs, setClock(own)),
    holderSkewMs === null
      ? skipped(there, 'no renewal was observed to read it from')
      : checkClock(there, -holderSkewMs, leading === null ? describeLease(snapshot) : setClock(leading)),
  ];
};
