import { X509Certificate } from 'node:crypto';
import { splitPem } from '../../src/certificates/pem.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import type { Installation } from './installation.ts';
import { type WatchedObject, watchedObject } from './watched-object.ts';

/** The four objects of an installation, watched from now on. */
export interface StandingObjects extends Disposable {
  readonly lease: WatchedObject;
  readonly secret: WatchedObject;
  readonly authority: WatchedObject;
  readonly target: WatchedObject;
  /** PEM of the target's caBundle. */
  readonly caBundle: () => string;
  leaseAnnotation(name: string): string | undefined;
  holder(): string;
  /** What is still to be done until a rotation of the CA is over: nothing, when one CA is left and everything is by it. */
  unsettled(): readonly string[];
}

const issued = (leafPem: string, caPem: string): boolean => {
  if (leafPem === '' || caPem === '') return false;
  const [leaf, ca] = [new X509Certificate(leafPem), new X509Certificate(caPem)];
  return leaf.checkIssued(ca) && leaf.verify(ca.publicKey);
};

/** How many certificates a PEM text holds. */
export const certificatesIn = (pem: string): number => splitPem(pem).length;

/** Resolves once the first state of each is there; all must exist. */
export const standingObjects = async ({ api, paths, prefix }: Installation): Promise<StandingObjects> => {
  const [lease, secret, authority, target] = await Promise.all(
    [paths.lease, paths.secret, paths.authority, paths.target].map((path) => watchedObject(api.admin, path)),
  );
  if (!lease || !secret || !authority || !target) throw new Error('four objects were watched');
  const caBundle = (): string => target.current.text('webhooks', 0, 'clientConfig', 'caBundle');
  const leaseAnnotation: StandingObjects['leaseAnnotation'] = (name) => {
    const value = lease.current.at('metadata', 'annotations', `${prefix}/${name}`);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    lease,
    secret,
    authority,
    target,
    caBundle,
    leaseAnnotation,
    holder: () => lease.current.word('spec', 'holderIdentity'),
    unsettled: () => {
      const ca = authority.current.text('data', 'ca.crt');
      const leaf = secret.current.text('data', 'tls.crt');
      const settled = {
        'one CA in SECRET-ca': certificatesIn(ca) === 1 && authority.current.text('data', 'ca-bundle.crt') === ca,
        'it alone in the target': caBundle() === ca,
        'it alone in the Secret': secret.current.text('data', 'ca.crt') === ca,
        'the leaf by it': issued(leaf, ca),
        'the leaf announced': leaseAnnotation('cert-hash') === sha256Hex(Buffer.from(leaf)),
        'the request answered': leaseAnnotation('rotate') === undefined,
        'nothing marked': leaseAnnotation('cert-served-since') === undefined,
      };
      return Object.entries(settled).flatMap(([what, is]) => (is ? [] : [what]));
    },
    [Symbol.dispose]: () => {
      for (const object of [lease, secret, authority, target]) object[Symbol.dispose]();
    },
  };
};
