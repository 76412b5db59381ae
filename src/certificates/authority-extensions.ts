import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension } from './x509-library.ts';
import type { Extension } from './x509-library.ts';

/** What makes a certificate an authority's. No path length: a later authority may have to stand below this one. */
export const authorityExtensions = (): readonly Extension[] => [
  new BasicConstraintsExtension(true, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];
