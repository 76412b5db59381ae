import type { CertificateFacts, MountReading } from '../streams/model.ts';
import { certificateFacts } from './certificates/certificate-facts.ts';
import type { Mount } from './certificates/mount.ts';

/**
 * The mounted leaf, whether it may be served or not; null when there is none or when it cannot be read. Asked for when
 * somebody looks; one generation is parsed once.
 */
export const mountedLeaf = (
  mount: Pick<Mount, 'files'>,
): ((mounted: MountReading | null) => CertificateFacts | null) => {
  let known: { readonly generation: string; readonly leaf: CertificateFacts | null } | null = null;

  const parse = (generation: string): CertificateFacts | null => {
    const files = mount.files(generation);
    try {
      return files === null ? null : (certificateFacts(files.certificate)[0] ?? null);
    } catch {
      // Why it is garbage is told by the load that rejects it.
      return null;
    }
  };

  return (mounted) => {
    if (mounted?.hash == null) return null;
    const { generation } = mounted;
    if (known?.generation !== generation) known = { generation, leaf: parse(generation) };
    return known.leaf;
  };
};
