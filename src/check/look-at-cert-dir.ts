import { firstValueFrom } from 'rxjs';
import type { Mount } from '../certificates/mount.ts';
import type { CertDirLook } from './evidence.ts';

/** CERT_DIR on this machine, whatever it is. */
export const lookAtCertDir = async (mount: Mount): Promise<CertDirLook> => {
  const kind = mount.kind();
  if (kind === 'absent') return { kind, hash: null, problem: null };
  const { hash, problem } = await firstValueFrom(mount.read());
  return { kind, hash, problem };
};
