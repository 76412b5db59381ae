import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type RotateDependencies, type RotateOptions, runRotate } from '../../src/commands/rotate.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import type { Installation } from '../support/installation.ts';

interface Asked {
  readonly ca?: boolean;
  readonly options?: Partial<RotateOptions>;
  readonly env?: Readonly<Record<string, string>>;
  readonly kubeconfig?: string;
  readonly around?: Partial<RotateDependencies>;
}

const never = new Promise<void>(() => undefined);

/** Runs `rotate` for an installation, as somebody at a desk does, and returns what is printed. */
export const rotating =
  (api: ApiUnderTest, folder: { readonly path: string }) =>
  async ({ namespace, paths }: Pick<Installation, 'namespace' | 'paths'>, asked: Asked = {}) => {
    const { ca = false, options = {}, env = {}, kubeconfig = api.adminKubeconfig(), around = {} } = asked;
    const file = join(folder.path, `${randomUUID()}.yaml`);
    await writeFile(file, kubeconfig);
    const targets = `validatingwebhookconfiguration/${basename(paths.target)}`;
    const parsed = parseConfig({
      env: { KUBECONFIG: file, POD_NAMESPACE: namespace, CA_BUNDLE_TARGETS: targets, ...env },
      flags: new Map(),
      serves: false,
      read: { namespace: () => null, hostname: () => 'desk' },
    });
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const surroundings = { inCluster: null, version: '0.0.0', print, stopped: never, ...around };
    const asks = { ca, json: false, noWait: false, timeoutMs: null, ...options };
    return { code: await runRotate(parsed.config, asks, surroundings), lines };
  };
