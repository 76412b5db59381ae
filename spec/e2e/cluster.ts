import { until } from '../support/until.ts';
import { kubectl } from './kubectl.ts';

/** `-n`, and the namespace of the manifests in manifests/base. */
export const SYSTEM = ['-n', 'webhook-certd'];
export const LEASE = 'webhook-certd';
/** What was announced is served within so many ms. */
export const ADOPTED_MS = 1_000;

export const get = async (what: readonly string[], path: string): Promise<string> =>
  kubectl([...SYSTEM, 'get', ...what, '-o', `jsonpath=${path}`]);
export const readyReplicas = async (): Promise<number> =>
  Number(await get(['deployment', 'webhook-certd'], '{.status.readyReplicas}'));
const announced = (): Promise<string> => get(['lease', LEASE], '{.metadata.annotations.webhook-certd/cert-hash}');
const serving = async (): Promise<readonly string[]> =>
  (
    await get(
      ['pods', '-l', 'app.kubernetes.io/name=webhook-certd', '--field-selector=status.phase=Running'],
      '{range .items[*]}{.metadata.annotations.webhook-certd/serving-hash}{"\\n"}{end}',
    )
  )
    .trim()
    .split('\n');
const settledOn = async (hash: string): Promise<boolean> => {
  const hashes = await serving();
  return hashes.length >= 2 && hashes.every((each) => each === hash) && (await readyReplicas()) === 2;
};

/** Resolves with the next announced hash once both replicas serve it. */
export const another = async (ask: () => Promise<unknown>): Promise<string> => {
  const before = await announced();
  await ask();
  await until(async () => (await announced()) !== before, 60_000);
  const hash = await announced();
  await until(() => settledOn(hash), 180_000);
  return hash;
};

/** Restarts every replica, and resolves once the Deployment has rolled out. */
export const restarted = async (): Promise<void> => {
  await kubectl([...SYSTEM, 'rollout', 'restart', 'deployment/webhook-certd']);
  await kubectl([...SYSTEM, 'rollout', 'status', 'deployment/webhook-certd', '--timeout=180s']);
};

export const rotate = (what: 'leaf' | 'ca') => () =>
  kubectl([...SYSTEM, 'annotate', 'lease', LEASE, `webhook-certd/rotate=${what}`]);

/** How long each replica took from the announcement until it served that certificate, ms. */
export const adoptions = async (hash: string): Promise<readonly number[]> => {
  const container = ['-c', 'webhook-certd'];
  const logs = await kubectl([
    ...[...SYSTEM, 'logs', '-l', 'app.kubernetes.io/name=webhook-certd', '--tail=-1'],
    ...container,
  ]);
  const lines = logs
    .split('\n')
    .filter((text) => text.includes('"Certificate loaded and verified"') && text.includes(hash));
  return lines.map((text) => (JSON.parse(text) as { readonly elapsedMs: number }).elapsedMs);
};
