import type { ClusterModel } from './cluster-model.ts';
import type { Fault } from './fault.ts';
import type { StoredAuthority, StoredSecret, StoredTarget } from './stored-objects.ts';

type Deed = Extract<
  Fault,
  {
    kind:
      | 'delete'
      | 'spoil-secret'
      | 'spoil-authority'
      | 'spoil-target'
      | 'remake-target'
      | 'forge-announcement'
      | 'ask-rotation'
      | 'usurp'
      | 'issue-externally'
      | 'fight';
  }
>;

const DAY_MS = 24 * 3_600_000;

/** What people, GitOps and other controllers do to the objects. */
export const outsiders = (model: ClusterModel) => {
  const { api, clocks, cluster, pki, scenario, time } = model;
  const deeds = (name: string, why: string) => ({ by: 'outsider', name, why });
  const own = model.random.fork('outsiders');
  /** What stood there once, as a backup or a manifest keeps it. */
  const earlier = {
    target: new Map<string, StoredTarget[]>(),
    secret: [] as StoredSecret[],
    authority: [] as StoredAuthority[],
  };
  model.listen((signal) => {
    if (signal.type !== 'written' || signal.before === null) return;
    if (signal.kind === 'secret') earlier.secret.push(signal.before);
    if (signal.kind === 'authority') earlier.authority.push(signal.before);
    if (signal.kind === 'target')
      earlier.target.set(signal.name, [...(earlier.target.get(signal.name) ?? []), signal.before]);
  });

  const foreignPair = (names: readonly string[]): StoredSecret => {
    const ca = pki.authority(clocks.trueMs(), DAY_MS);
    const leaf = pki.leaf(ca, names, clocks.trueMs(), DAY_MS);
    return { crt: leaf, key: leaf, trust: [ca] };
  };
  const changeSecret = (why: string, change: (secret: StoredSecret) => StoredSecret): void => {
    if (api.secret.get('secret') !== null) api.secret.update(deeds('secret', why), null, change);
  };
  const setTarget = (name: string, why: string, bundle: readonly string[]): void => {
    if (api.target.get(name) === null) return;
    api.target.update(deeds(name, why), null, ({ bundles }) => ({
      bundles: bundles.map(() => bundle),
      rival: 'gitops',
    }));
  };

  return (deed: Deed): void => {
    const lease = api.lease.get('lease')?.value;
    const why = 'how' in deed ? `${deed.kind} ${deed.how}` : deed.kind;
    switch (deed.kind) {
      case 'delete': {
        api[deed.object].remove(deeds(deed.object, why));
        return;
      }
      case 'spoil-secret': {
        const { crt, key, trust } = foreignPair(deed.how === 'foreign' ? scenario.policy.names : ['somebody.else']);
        changeSecret(why, (secret) => {
          if (deed.how === 'garbage') return { ...secret, crt: 'garbage' };
          if (deed.how === 'other-trust') return { ...secret, trust };
          if (deed.how === 'earlier') return earlier.secret.length === 0 ? secret : own.pick(earlier.secret);
          if (deed.how === 'emptied') return { crt: null, key: null, trust: [] };
          return deed.how === 'other-key' ? { ...secret, key } : { crt, key, trust };
        });
        return;
      }
      case 'spoil-authority':
        if (api.authority.get('authority') !== null)
          api.authority.update(deeds('authority', why), null, (value) => {
            if (deed.how === 'garbage') return { ...value, key: 'garbage', bundle: [] };
            return earlier.authority.length === 0 ? value : own.pick(earlier.authority);
          });
        return;
      case 'spoil-target': {
        const name = `target-${deed.target % scenario.targets}`;
        const before = earlier.target.get(name)?.at(-1)?.bundles[0] ?? [];
        const foreign = deed.how === 'foreign' ? foreignPair([]).trust : [];
        setTarget(name, why, deed.how === 'earlier' ? before : foreign);
        return;
      }
      case 'fight': {
        const name = `target-${deed.target % scenario.targets}`;
        for (let at = 0; at < deed.times; at += 1) {
          time.after(cluster, at * deed.everyMs, () => {
            if (time.nowMs() < scenario.calmAtMs) setTarget(name, why, []);
          });
        }
        return;
      }
      case 'remake-target': {
        const name = `target-${deed.target % scenario.targets}`;
        api.target.remove(deeds(name, why));
        time.after(cluster, deed.afterMs, () => {
          if (api.target.get(name) === null) api.target.create(deeds(name, why), { bundles: [[]], rival: null });
        });
        return;
      }
      case 'issue-externally': {
        const standing = api.secret.get('secret')?.value;
        const ca = deed.anotherAuthority ? undefined : pki.get(standing?.trust[0] ?? '')?.facts;
        const lasts = ca !== undefined && ca.notAfterMs > clocks.trueMs() + DAY_MS;
        const issuer = lasts ? ca.fingerprint : pki.authority(clocks.trueMs(), 400 * DAY_MS);
        const leaf = pki.leaf(issuer, scenario.policy.names, clocks.trueMs(), 90 * DAY_MS);
        const value = { crt: leaf, key: leaf, trust: [issuer] };
        if (standing === undefined) api.secret.create({ ...deeds('secret', why), by: 'issuer' }, value);
        else api.secret.update({ ...deeds('secret', why), by: 'issuer' }, null, () => value);
        return;
      }
    }
    if (lease === undefined) return;
    const changeLease = (change: Partial<typeof lease>): void => {
      api.lease.update(deeds('lease', why), null, (value) => ({ ...value, ...change }));
    };
    switch (deed.kind) {
      case 'ask-rotation': {
        changeLease({ rotate: deed.rotate });
        return;
      }
      case 'usurp': {
        changeLease({
          holder: 'stranger',
          durationMs: scenario.leaseDurationMs,
          renewTime: `stranger ${time.nowMs()}`,
          transitions: lease.transitions + 1,
        });
        return;
      }
      case 'forge-announcement': {
        const validUntil = '2027-01-01T00:00:00Z';
        const mounted = api.secret.get('secret')?.value.crt ?? 'forged';
        if (deed.how === 'removed') {
          changeLease({ announcement: null, malformed: null });
          return;
        }
        if (deed.how === 'malformed') {
          changeLease({ announcement: null, malformed: 'cert-hash is missing' });
          return;
        }
        changeLease({
          announcement: { hash: deed.how === 'mounted' ? mounted : 'forged', validUntil },
          malformed: null,
        });
        return;
      }
    }
  };
};
