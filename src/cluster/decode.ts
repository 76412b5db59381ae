import type { AuthorityState, SecretState, TargetState } from '../../streams/cluster-state.ts';
import type { CertificateFacts } from '../../streams/model.ts';
import { authorityFacts } from '../certificates/ca-pair.ts';
import { certificateFacts } from '../certificates/certificate-info.ts';
import { secretPair } from '../certificates/secret-pair.ts';
import { rivalOf } from '../kube/managed-fields.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { secretObject } from './secrets.ts';
import { targetObject, type TargetType } from './targets.ts';

/** Under this name our writes stand in managedFields. */
export const FIELD_MANAGER = 'webhook-certd';

const readable = (pem: Buffer | string | undefined): readonly CertificateFacts[] => {
  try {
    return certificateFacts(pem ?? '');
  } catch {
    // Garbage trusts nobody; it will be overwritten by what should stand there.
    return [];
  }
};

/** What decisions need of each kind of object, out of what the API server says of it. Each throws a ZodError. */
export const objectStates = {
  secret: (object: unknown): SecretState => {
    const { resourceVersion, managedFields, values } = secretObject(object);
    const pair = secretPair(values);
    const validUntil = pair.leaf === null ? '' : rfc3339Seconds(pair.leaf.notAfterMs);
    return { resourceVersion, ...pair, validUntil, rival: rivalOf(managedFields, FIELD_MANAGER, 'f:data') };
  },
  authority: (object: unknown): AuthorityState => {
    const { resourceVersion, managedFields, values } = secretObject(object);
    const reading = authorityFacts({
      certificatePem: values['ca.crt']?.toString('latin1') ?? '',
      keyPem: values['ca.key']?.toString('latin1') ?? '',
    });
    const bundle = readable(values['ca-bundle.crt']);
    const current = reading.ok ? reading.facts : null;
    return { resourceVersion, current, bundle, rival: rivalOf(managedFields, FIELD_MANAGER, 'f:data') };
  },
  target:
    (type: TargetType) =>
    (object: unknown): TargetState => {
      const { resourceVersion, fields, rival } = targetObject(type, FIELD_MANAGER)(object);
      return { resourceVersion, rival, bundles: fields.map(({ pem }) => readable(pem)) };
    },
};
