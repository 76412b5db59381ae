import type { KubeClient } from '../kube/client.ts';
import { portForward, TunnelError } from '../kube/port-forward.ts';
import { type Reach, Refused, TimedOut } from './cluster-probe.ts';

/** Tunnels at once: each is a stream through the API server and a kubelet. */
const CONCURRENCY = 8;

/** The error inside a Pod by what it says of its port: the kubelet passes on Go's words. */
const podError = (error: Error): Error => {
  if (!(error instanceof TunnelError)) return error;
  if (error.message.includes('connection refused')) return new Refused('connection refused inside the Pod');
  return /i\/o timeout|timed out/.test(error.message) ? new TimedOut() : error;
};

/** Reaches Pods through the API server, as `kubectl port-forward` does. */
export const tunnelled = (client: KubeClient): Reach => ({
  concurrency: CONCURRENCY,
  obstacle: ({ pod }) =>
    pod === null
      ? 'it belongs to no Pod, so the API server has no tunnel to it: run the check inside the cluster'
      : null,
  open: ({ pod, port }, namespace, signal) => portForward(client, { namespace, pod: pod ?? '', port }, signal),
  explain: podError,
});
