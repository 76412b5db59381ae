import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Debian's package of each program. */
const PACKAGES = {
  ip: 'iproute2',
  faketime: 'faketime',
  mount: 'mount',
  prlimit: 'util-linux',
  unshare: 'util-linux',
} as const;

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const isOnPath = async (name: string): Promise<boolean> => {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return (await Promise.all(folders.map((folder) => isProgram(join(folder, name))))).includes(true);
};

/** Mocha calls it before the first spec: nothing here is skipped, so all that is missing is said at once. */
export const mochaGlobalSetup = async (): Promise<void> => {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push('root (for network namespaces and mounts)');
  for (const [name, fromPackage] of Object.entries(PACKAGES))
    if (!(await isOnPath(name))) missing.push(`the program ${name} (apt-get install ${fromPackage})`);
  const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
  if (assets === '') missing.push('KUBEBUILDER_ASSETS, naming a folder with etcd and kube-apiserver');
  else
    for (const name of ['etcd', 'kube-apiserver'])
      if (!(await isProgram(join(assets, name)))) missing.push(`${name} in KUBEBUILDER_ASSETS (${assets})`);
  if (missing.length > 0) throw new Error(`the fault specs need\n  ${missing.join('\n  ')}`);
};
