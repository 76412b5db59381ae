import { expect } from 'chai';
import { z } from 'zod';
import type { Json } from '../support/raw-api.ts';
import { COMPONENTS, rendered } from './rendered.ts';
import { asKubernetesReads } from './schemas.ts';

const hours = z.string().regex(/^\d+h$/);

/** As far as it is used here, after cert-manager's deploy/crds/cert-manager.io_certificates.yaml and _issuers.yaml. */
const certManager = {
  Certificate: z.strictObject({
    isCA: z.boolean().optional(),
    commonName: z.string().max(64).optional(),
    secretName: z.string(),
    dnsNames: z.array(z.string()).optional(),
    duration: hours,
    renewBefore: hours,
    privateKey: z.strictObject({
      algorithm: z.enum(['RSA', 'ECDSA', 'Ed25519']),
      size: z.number().int(),
      rotationPolicy: z.enum(['Never', 'Always']),
    }),
    usages: z.array(z.enum(['digital signature', 'server auth', 'cert sign'])).optional(),
    issuerRef: z.strictObject({ group: z.literal('cert-manager.io'), kind: z.literal('Issuer'), name: z.string() }),
  }),
  Issuer: z.union([
    z.strictObject({ selfSigned: z.strictObject({}) }),
    z.strictObject({ ca: z.strictObject({ secretName: z.string() }) }),
  ]),
};

for (const component of [undefined, ...COMPONENTS]) {
  describe(`the schemas, ${component ?? 'base'}`, () => {
    for (const object of rendered(component)) {
      it(`know every field of the ${object.kind} ${object.name}`, () => {
        if (object.at('apiVersion') !== 'cert-manager.io/v1') {
          expect(asKubernetesReads(object)).to.deep.equal(object.json);
          return;
        }
        const schema = certManager[object.kind as keyof typeof certManager];
        expect(schema.parse(object.at('spec'))).to.deep.equal(object.at('spec'));
      });
    }
  });
}

describe('the schemas', () => {
  it('notice a field that there is not', () => {
    const object = rendered().find(({ kind }) => kind === 'Service')!;
    const misspelt = { ...(object.json as object), spec: { selectr: {} } } as unknown as Json;
    expect(asKubernetesReads({ ...object, json: misspelt })).not.to.deep.equal(misspelt);
  });
});
