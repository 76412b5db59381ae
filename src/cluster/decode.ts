import type { CaState, SecretState, TargetState } from '../../streams/cluster-state.ts';
import type { CertificateInfo } from '../../streams/model.ts';
import { readCaPair } from '../certificates/ca-pair.ts';
import { describeCertificates } from '../certificates/certificate-info.ts';
import { secretPair } from '../certificates/secret-pair.ts';
import { otherFieldManager } from '../kube/managed-fields.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { secretObject } from './secrets.ts';
import { targetObject, type TargetType } from './targets.ts';

/** Under this name our writes stand in managedFields. */
export const FIELD_MANAGER = 'webhook-certd';

const readable = (pem: Buffer | string | undefined): readonly CertificateInfo[] => {
  try {
    return describeCertificates(pem ?? '');
  } catch {
    // Garbage trusts nobody; it will be overwritten by what should stand there.
    return [];
  }
};

/** What decisions need of each kind of object, out of what the API server says of it. Each throws a ZodError. */
export const decode = {
  secret: (object: unknown): SecretState => {
    const { resourceVersion, managedFields, values } = secretObject(object);
    const pair = secretPair(values);
    const validUntil = pair.leaf === null ? '' : rfc3339Seconds(pair.leaf.notAfterMs);
    return {
      resourceVersion,
      ...pair,
      ...(pair.trust.length === 0 && values['ca.crt']?.length ? { isTrustUnreadable: true } : {}),
      validUntil,
      otherManager: otherFieldManager(managedFields, FIELD_MANAGER, 'f:data'),
    };
  },
  ca: (object: unknown): CaState => {
    const { resourceVersion, managedFields, values } = secretObject(object);
    const reading = readCaPair({
      certificatePem: values['ca.crt']?.toString('latin1') ?? '',
      keyPem: values['ca.key']?.toString('latin1') ?? '',
    });
    const bundle = readable(values['ca-bundle.crt']);
    const current = reading.ok ? reading.facts : null;
    return {
      resourceVersion,
      current,
      bundle,
      otherManager: otherFieldManager(managedFields, FIELD_MANAGER, 'f:data'),
    };
  },
  target:
    (type: TargetType) =>
    (object: unknown): TargetState => {
      const { resourceVersion, fields, otherManager } = targetObject(type, FIELD_MANAGER)(object);
      return { resourceVersion, otherManager: otherManager, bundles: fields.map(({ pem }) => readable(pem)) };
    },
};
