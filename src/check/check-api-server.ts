import { shellQuote } from './kubectl.ts';
import { type CheckResult, result } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';
import { timeText } from './time-text.ts';

/** A Date header counts whole seconds; certificates are backdated by an hour, and people by less. */
const SUSPICIOUS_MS = 30_000;
const WRONG_MS = 5 * 60_000;

const setClock = (nodeName: string | null): string => {
  const command = 'chronyc -a makestep || timedatectl set-ntp true';
  if (nodeName === null) return `sudo sh -c ${shellQuote(command)}`;
  return `kubectl debug node/${nodeName} -it --image=busybox --profile=sysadmin -- chroot /host sh -c ${shellQuote(command)}`;
};

const judgeClock = (name: string, skewMs: number | null, nodeName: string | null, unknown: string): CheckResult => {
  if (skewMs === null) return result.skipped(name, unknown);
  const apart = timeText.span(skewMs);
  if (Math.abs(skewMs) <= SUSPICIOUS_MS)
    return result.ok(name, Math.abs(skewMs) < 2_000 ? 'to the second' : `${apart} apart`);
  const detail = `it is ${apart} ${skewMs > 0 ? 'behind' : 'ahead of'} the API server's`;
  const say = Math.abs(skewMs) > WRONG_MS ? result.fail : result.warn;
  return say(name, detail, setClock(nodeName));
};

/** Whether it can be reached, and what time it is there. */
export const checkApiServer = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const { config, lease, renewal, pods, watchProblem, paths } = evidence;
  const podNamed = (name: string | null) =>
    pods.state === 'there' ? (pods.value.find((pod) => pod.name === name)?.nodeName ?? null) : null;
  const holder = lease.state === 'there' ? lease.value.holder : null;
  const holderSkewMs = renewal.holderSkewMs === null ? null : -renewal.holderSkewMs;
  const watch = `${paths.lease.collection}?watch=true&timeoutSeconds=5&fieldSelector=metadata.name%3D${paths.lease.name}`;
  return [
    result.ok('API server answers', `${evidence.server}, ${evidence.version}`),
    watchProblem === null
      ? result.ok('Lease can be watched', 'a watch opens')
      : result.fail('Lease can be watched', watchProblem, `kubectl get --raw ${shellQuote(watch)}`),
    judgeClock(
      "this machine's clock is right",
      evidence.skewMs,
      evidence.inReplica ? podNamed(config.identity) : null,
      'the API server did not say what time it is',
    ),
    judgeClock("the leader's clock is right", holderSkewMs, podNamed(holder), 'no renewal was seen to read it from'),
  ];
};
