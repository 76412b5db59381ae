import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { until } from '../support/until.ts';
import { ADOPTED_MS, adoptions, another, readyReplicas, restarted, rotate, SYSTEM } from './cluster.ts';
import { dayOf, image } from './day.ts';
import { kubectl } from './kubectl.ts';
import { type Manifest, renderedManifests } from './rendered-manifests.ts';

const CLIENTS = 'webhook-certd-e2e-serving';
const CERTS = '/tmp/k8s-webhook-server/serving-certs';
const SCRIPT = 'foreign-server.ts';
const READY_MS = 60_000;
const ROTATIONS = 7;

const configMap: Manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'foreign-server', namespace: 'webhook-certd' },
  data: { [SCRIPT]: readFileSync(new URL(`./${SCRIPT}`, import.meta.url), 'utf8') },
};

/** A server of somebody else's answers at the port of the webhook; the daemon beside it proves what that one shows. */
const besideForeignServer = (manifests: readonly Manifest[]): readonly Manifest[] => {
  for (const { spec } of manifests) {
    const pod = spec?.template?.spec;
    const [daemon] = pod?.containers ?? [];
    if (pod === undefined || daemon === undefined) continue;
    const ports = daemon['ports'] as readonly { readonly name: string }[];
    daemon.env = daemon.env.filter(({ name }) => name !== 'WEBHOOK_HANDLER');
    daemon['ports'] = ports.filter(({ name }) => name !== 'webhook');
    pod.containers.push({
      name: 'server',
      image,
      imagePullPolicy: 'IfNotPresent',
      command: ['node', `/server/${SCRIPT}`, '9443', `${CERTS}/tls.crt`, `${CERTS}/tls.key`],
      env: [],
      ports: ports.filter(({ name }) => name === 'webhook'),
      securityContext: daemon['securityContext'],
      volumeMounts: [
        ...(daemon['volumeMounts'] as readonly unknown[]),
        { name: 'server', mountPath: '/server', readOnly: true },
      ],
    });
    pod.volumes.push({ name: 'server', configMap: { name: 'foreign-server' } });
  }
  // After the namespace that it is in.
  return [...manifests, configMap];
};

describe('a day in the life of a server that terminates TLS itself, on a real cluster', () => {
  const manifests = (): Promise<string> =>
    renderedManifests(image, { CA_OVERLAP: '5s', SERVING_ADDRESS: '127.0.0.1:9443' }, besideForeignServer);

  const day = dayOf(CLIENTS, manifests);

  it(`has two replicas ready within ${READY_MS / 1000} s of kubectl apply, from nothing`, async () => {
    // An earlier spec may have left its namespace on its way out.
    await kubectl(['wait', '--for=delete', 'namespace/webhook-certd', '--timeout=120s']).catch(() => undefined);
    const startedMs = performance.now();
    await kubectl(['apply', '-f', '-'], await manifests());
    await until(async () => (await readyReplicas()) === 2, 120_000);
    const tookMs = performance.now() - startedMs;
    process.stdout.write(`      ready after ${Math.round(tookMs)} ms\n`);
    expect(tookMs).to.be.below(READY_MS);
    await day.begin();
  });

  it('rotates leaf and CA without a failed create, proven within a second of the announcement', async () => {
    const took: number[] = [];
    for (let rotation = 0; rotation < ROTATIONS; rotation += 1)
      took.push(...(await adoptions(await another(rotate(rotation % 3 === 2 ? 'ca' : 'leaf')))));
    const sorted = [...took].sort((left, right) => left - right);
    const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
    process.stdout.write(`      proven after ${took.join(', ')} ms, median ${median} ms\n`);
    expect(took).to.have.length(2 * ROTATIONS);
    expect(median).to.be.below(ADOPTED_MS);
    expect(day.creates.failures).to.deep.equal([]);
  });

  it('restarts by kubectl rollout restart without a failed create', async () => {
    await restarted();
    expect(day.creates.failures).to.deep.equal([]);
  });

  it('says with check that all is well', async () => {
    const exec = [...SYSTEM, 'exec', 'deploy/webhook-certd', '-c', 'webhook-certd', '--'];
    const report = await kubectl([...exec, 'webhook-certd', 'check']);
    expect(report).to.not.include('✘');
    expect(day.creates.failures).to.deep.equal([]);
  });
});
