import { createECDH, createHash, createPrivateKey, type KeyObject } from 'node:crypto';

/** A P-256 key that is the same for the same name, so that the same seed tries the same inputs and no key is stored. */
export const fuzzKey = (name: string): KeyObject => {
  const scalar = createHash('sha256').update(`webhook-certd fuzz key ${name}`).digest();
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), scalar].map((bytes) => bytes.toString('base64url'));
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '', d: d ?? '' }, format: 'jwk' });
};
