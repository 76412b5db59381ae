import { formatSpan } from '../util/time.ts';
import { shellQuote } from './kubectl.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** A Date header counts whole seconds, so smaller differences are noise. */
const SUSPICIOUS_MS = 30_000;
/** Certificates are backdated by one hour (L5), but other issuers allow for less. */
const WRONG_MS = 5 * 60_000;

const clockRemedy = (nodeName: string | null): string => {
  const command = 'chronyc -a makestep || timedatectl set-ntp true';
  if (nodeName === null) return `sudo sh -c ${shellQuote(command)}`;
  return `kubectl debug node/${nodeName} -it --image=busybox --profile=sysadmin -- chroot /host sh -c ${shellQuote(command)}`;
};

const checkClock = (name: string, skewMs: number | null, nodeName: string | null, unknown: string): CheckResult => {
  if (skewMs === null) return skipped(name, unknown);
  const apart = formatSpan(skewMs);
  if (Math.abs(skewMs) <= SUSPICIOUS_MS) return ok(name, Math.abs(skewMs) < 2_000 ? 'to the second' : `${apart} apart`);
  const detail = `it is ${apart} ${skewMs > 0 ? 'behind' : 'ahead of'} the API server's`;
  const report = Math.abs(skewMs) > WRONG_MS ? fail : warn;
  return report(name, detail, clockRemedy(nodeName));
};

/** Checks that the API server answers, that the Lease can be watched, and that clocks agree. */
export const checkApiServer = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { config, lease, renewal, pods, watchProblem, paths } = snapshot;
  const podNamed = (name: string | null) =>
    pods.state === 'there' ? (pods.value.find((pod) => pod.name === name)?.nodeName ?? null) : null;
  const holder = lease.state === 'there' ? lease.value.holder : null;
  const holderSkewMs = renewal.holderSkewMs === null ? null : -renewal.holderSkewMs;
  const watch = `${paths.lease.collection}?watch=true&timeoutSeconds=5&fieldSelector=metadata.name%3D${paths.lease.name}`;
  return [
    ok('API server answers', `${snapshot.server}, ${snapshot.version}`),
    watchProblem === null
      ? ok('Lease can be watched', 'a watch opens')
      : fail('Lease can be watched', watchProblem, `kubectl get --raw ${shellQuote(watch)}`),
    checkClock(
      "this machine's clock is right",
      snapshot.skewMs,
      snapshot.inReplica ? podNamed(config.identity) : null,
      'the API server sent no Date header',
    ),
    checkClock(
      "the leader's clock is right",
      holderSkewMs,
      podNamed(holder),
      'no renewal was observed to read it from',
    ),
  ];
};
