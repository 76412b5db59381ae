import type { ClusterModel } from './cluster-model.ts';
import type { SecretDeed, Strikes } from './fault.ts';
import { foreignPair } from './foreign-pair.ts';
import type { StoredAuthority, StoredSecret } from './stored-objects.ts';

const DAY_MS = 24 * 3_600_000;

/** Deletes and spoils the Secrets, brings back what a backup keeps; issues, when that is somebody else's business. */
export const secretDeeds = (model: ClusterModel): Strikes<SecretDeed> => {
  const { api, clocks, pki, random, scenario } = model;
  const own = random.fork('secret deeds');
  const nowMs = clocks.trueMs;
  const { names } = scenario.policy;
  const earlier = { secret: [] as StoredSecret[], source: [] as StoredSecret[], authority: [] as StoredAuthority[] };
  model.listen((signal) => {
    if (signal.type !== 'written' || signal.before === null) return;
    if (signal.kind === 'secret') earlier.secret.push(signal.before);
    if (signal.kind === 'source') earlier.source.push(signal.before);
    if (signal.kind === 'authority') earlier.authority.push(signal.before);
  });

  const spoiled = (secret: StoredSecret, how: Extract<SecretDeed, { kind: 'spoil-secret' }>['how']): StoredSecret => {
    const foreign = foreignPair(pki, how === 'foreign' ? names : ['somebody.else'], nowMs());
    switch (how) {
      case 'garbage':
        return { ...secret, crt: 'garbage' };
      case 'other-key':
        return { ...secret, key: foreign.key };
      case 'other-trust':
        return { ...secret, trust: foreign.trust };
      case 'emptied':
        return { crt: null, key: null, trust: [] };
      case 'earlier':
        return earlier.secret.length === 0 ? secret : own.pick(earlier.secret);
      case 'foreign':
        return foreign;
    }
  };

  const issuedIntoSource = (how: Extract<SecretDeed, { kind: 'issue-into-source' }>['how']): StoredSecret => {
    const standing = api.source.get('source')?.value;
    const known = how === 'ca' ? undefined : pki.get(standing?.trust[0] ?? '');
    const lasts = known?.isAuthority === true && known.facts.notAfterMs > nowMs() + DAY_MS;
    const ca = lasts ? known.facts.fingerprint : pki.authority(nowMs(), 400 * DAY_MS);
    const leaf =
      how === 'self-signed'
        ? pki.selfSigned(names, nowMs(), 90 * DAY_MS)
        : pki.leaf(ca, how === 'other-name' ? ['somebody.else'] : names, nowMs(), how === 'expired' ? 0 : 90 * DAY_MS);
    const good = { crt: leaf, key: leaf, trust: [how === 'self-signed' ? leaf : ca] };
    switch (how) {
      case 'without-trust':
        // Of another CA it would be refused by every caBundle.
        return { ...good, trust: lasts ? [] : good.trust };
      case 'other-key':
        return { ...good, key: ca };
      case 'other-trust':
        return { ...good, trust: [pki.authority(nowMs(), DAY_MS)] };
      case 'garbage':
        return { ...good, crt: 'garbage' };
      case 'earlier':
        return earlier.source.length === 0 ? good : own.pick(earlier.source);
      default:
        return good;
    }
  };

  return {
    'issue-into-source': ({ how }) => {
      const write = { by: 'issuer', name: 'source', why: `issue-into-source ${how}` };
      const isThere = api.source.get('source') !== null;
      if (how === 'removed') {
        if (isThere) api.source.remove(write);
        return;
      }
      const value = issuedIntoSource(how);
      if (isThere) api.source.update(write, null, () => value);
      else api.source.create(write, value);
    },
    delete: ({ object }) => api[object].remove({ by: 'outsider', name: object, why: 'delete' }),
    'spoil-secret': ({ how }) => {
      if (api.secret.get('secret') === null) return;
      const write = { by: 'outsider', name: 'secret', why: `spoil-secret ${how}` };
      api.secret.update(write, null, (secret) => spoiled(secret, how));
    },
    'spoil-authority': ({ how }) => {
      if (api.authority.get('authority') === null) return;
      const write = { by: 'outsider', name: 'authority', why: `spoil-authority ${how}` };
      api.authority.update(write, null, (value) => {
        if (how === 'garbage') return { ...value, key: 'garbage', bundle: [] };
        return earlier.authority.length === 0 ? value : own.pick(earlier.authority);
      });
    },
    'issue-externally': ({ anotherAuthority }) => {
      const standing = api.secret.get('secret')?.value;
      const ca = anotherAuthority ? undefined : pki.get(standing?.trust[0] ?? '')?.facts;
      const lasts = ca !== undefined && ca.notAfterMs > nowMs() + DAY_MS;
      const issuer = lasts ? ca.fingerprint : pki.authority(nowMs(), 400 * DAY_MS);
      const leaf = pki.leaf(issuer, names, nowMs(), 90 * DAY_MS);
      const value = { crt: leaf, key: leaf, trust: [issuer] };
      const write = { by: 'issuer', name: 'secret', why: 'issue-externally' };
      if (standing === undefined) api.secret.create(write, value);
      else api.secret.update(write, null, () => value);
    },
  };
};
