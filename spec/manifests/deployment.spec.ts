import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { NEVER } from 'rxjs';
import { settings } from '../../src/config/variables.ts';
import { type Probes, startProbes } from '../../src/status/probes.ts';
import { valueAt } from '../support/raw-api.ts';
import { COMPONENTS, MANIFESTS, only, rendered } from './rendered.ts';
import { replicaOf } from './replica-of.ts';

const nobodyAsks = (): never => {
  throw new Error('not used');
};

const probesThatSayYes = (): Promise<Probes> =>
  startProbes({
    bind: { host: '127.0.0.1', port: 0 },
    live: () => null,
    reasons: () => [],
    status: nobodyAsks,
    changed$: NEVER,
    page: nobodyAsks,
  });

const variableNames = settings.map(([, { name }]) => name);

const texts = (): readonly (readonly [string, string])[] =>
  readdirSync(MANIFESTS, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(yaml|md)$/.test(file))
    .map((file) => [file, readFileSync(join(MANIFESTS, file), 'utf8')]);

for (const component of [undefined, ...COMPONENTS]) {
  describe(`the Deployment, ${component ?? 'base'}`, () => {
    const objects = rendered(component);
    const { deployment, pod, container, env, config } = replicaOf(objects);

    it('sets variables that the daemon reads, each once, to values that it takes', () => {
      const names = env.map(({ name }) => name);
      expect(variableNames).to.include.members(names);
      expect(new Set(names).size).to.equal(names.length);
    });

    it('learns name and namespace from its own Pod', () => {
      expect(config).to.include({ identity: 'replica-0', namespace: 'webhook-certd' });
    });

    it('opens the ports that the daemon listens on', () => {
      expect(container['ports']).to.deep.equal([
        { name: 'webhook', containerPort: config.webhookBind.port, protocol: 'TCP' },
        { name: 'probes', containerPort: config.probeBind.port, protocol: 'TCP' },
        { name: 'metrics', containerPort: config.metricsBind?.port, protocol: 'TCP' },
      ]);
    });

    it('probes paths that answer', async () => {
      await using probes = await probesThatSayYes();
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const { path, port } = valueAt(container[probe], ['httpGet']) as { path: string; port: string };
        expect(port).to.equal('probes');
        expect((await fetch(`http://127.0.0.1:${probes.port}${path}`)).status, path).to.equal(200);
      }
    });

    it('mounts the whole Secret where the daemon looks, and starts without one', () => {
      const volumes = pod['volumes'] as readonly { readonly name: string }[];
      const mounts = container['volumeMounts'] as readonly { readonly name: string }[];
      const own = <T extends { readonly name: string }>(all: readonly T[]) =>
        all.filter(({ name }) => name !== 'handler');
      expect(own(volumes)).to.deep.equal([
        { name: 'serving-certs', secret: { secretName: config.secretName, optional: true, defaultMode: 0o644 } },
      ]);
      expect(own(mounts)).to.deep.equal([{ name: 'serving-certs', mountPath: config.certDir, readOnly: true }]);
    });

    it('lets calls finish before it is killed, without a preStop', () => {
      expect(pod['terminationGracePeriodSeconds']).to.be.above(config.shutdownGraceMs / 1000);
      expect(container).not.to.have.property('lifecycle');
    });

    it('runs as a user other than root, on a read-only root, without privileges', () => {
      expect(pod['securityContext']).to.deep.include({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext } of pod['containers'] as readonly { readonly securityContext: object }[]) {
        expect(securityContext).to.deep.equal({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    });

    it('is found by POD_SELECTOR, by its Service and by its PodDisruptionBudget', () => {
      const labels = deployment.at('spec', 'template', 'metadata', 'labels') as Readonly<Record<string, string>>;
      const asText = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      expect(asText).to.include(config.podSelector);
      expect(only(objects, 'Service').at('spec', 'selector')).to.deep.equal(labels);
      expect(only(objects, 'PodDisruptionBudget').at('spec', 'selector', 'matchLabels')).to.deep.equal(labels);
      expect(deployment.at('spec', 'selector', 'matchLabels')).to.deep.equal(labels);
    });
  });
}

describe('the manifests, as text', () => {
  it('name no variable that there is not', () => {
    const words = texts().flatMap(([, text]) => text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []);
    expect(variableNames).to.include.members([...new Set(words)].filter((word) => word !== 'LISTEN_ADDRESS'));
  });

  it('set no caBundle: the key is the daemon’s alone', () => {
    const setting = texts().filter(([file, text]) => file.endsWith('.yaml') && /^\s*(- )?caBundle\s*:/m.test(text));
    expect(setting.map(([file]) => file)).to.deep.equal([]);
  });

  it('mount nothing by subPath', () => {
    expect(texts().filter(([, text]) => /^\s*(- )?subPath(Expr)?\s*:/m.test(text))).to.deep.equal([]);
  });
});
