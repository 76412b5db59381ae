import type { Config } from '../config.ts';
import type { CaBundleField } from '../kube/target-object.ts';
import { FIELD_MANAGER } from '../object-states.ts';
import type { Evidence, SeenTarget } from './evidence.ts';
import type { Rival } from './look-at-target.ts';
import { shellWord } from './shell-word.ts';

const patchOf = ({ path }: SeenTarget): string =>
  `kubectl patch ${path.type} ${shellWord(path.name)} --field-manager=${FIELD_MANAGER} --type=json -p`;

/** Where the trust bundle is: beside the leaf, beside the CA, or the leaf itself when it has signed itself. */
const sourceOf = ({ secretName, issuer }: Config, secret: Evidence['secret']) => {
  if (secret.state === 'there' && secret.value.trust.length > 0) return { name: secretName, key: 'ca' };
  return issuer === 'external' ? { name: secretName, key: 'tls' } : { name: `${secretName}-ca`, key: 'ca-bundle' };
};

/** How a target's caBundle is put right, by the same patch that the leader would write. */
export const mendBundle = {
  /** Puts the trust bundle out of the Secret into these fields. */
  inject: ({ config, secret }: Evidence, target: SeenTarget, fields: readonly CaBundleField[]): string => {
    const { name, key } = sourceOf(config, secret);
    const path = String.raw`'{.data.${key}\.crt}'`;
    const operations = fields.map(({ pointer }) => `{"op":"add","path":"${pointer}","value":"'"$CA"'"}`);
    return (
      `CA=$(kubectl get secret ${shellWord(name)} -n ${config.namespace} -o jsonpath=${path}) && ` +
      `${patchOf(target)} '[${operations.join(',')}]'`
    );
  },
  /** Takes the field away from another manager in the API server's record of who owns what. */
  disown: (target: SeenTarget, { manager, managerPointer, ownerships }: Rival): string => {
    const operations = [
      { op: 'test', path: managerPointer, value: manager },
      ...ownerships.map((path) => ({ op: 'remove', path })),
    ];
    return `${patchOf(target)} ${shellWord(JSON.stringify(operations))}`;
  },
} as const;
