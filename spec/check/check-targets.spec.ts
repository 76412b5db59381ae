import { expect } from 'chai';
import { checkTargets } from '../../src/check/check-targets.ts';
import { inspectTarget } from '../../src/check/inspect-target.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { TargetSnapshot } from '../../src/check/snapshot.ts';
import { factsOf } from '../support/facts-of.ts';
import { type IssuedValues, issuerFor } from '../support/issuing-program.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import {
  absent,
  accessWithout,
  BROKEN_BLOCK,
  caInfoOf,
  EXTERNAL,
  failed,
  forbidden,
  type Given,
  leaseInfoOf,
  NAMES,
  resultNamed,
  secretInfoOf,
  secretOf,
  snapshotOf,
  textOf,
  there,
  unreadableResults,
} from './snapshot-of.ts';

const ID = 'validatingwebhookconfiguration/web.hooks';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Where the caBundle of a webhook is. */
const pointer = (at: number): string => `/webhooks/${at}/clientConfig/caBundle`;
const SHOW = 'kubectl get validatingwebhookconfiguration web.hooks -o yaml';
const PATCH = 'kubectl patch validatingwebhookconfiguration web.hooks --field-manager=webhook-certd --type=json -p';
const inject = (secret: string, key: string, ...at: readonly number[]): string => {
  const operations = at.map((each) => `{"op":"add","path":"${pointer(each)}","value":"'"$CA"'"}`);
  return `CA=$(kubectl get secret ${secret} -n hooks -o jsonpath='{.data.${key}\\.crt}') && test -n "$CA" && ${PATCH} '[${operations.join(',')}]'`;
};

interface WebhookGiven {
  /** PEM; absent when empty. */
  readonly trust?: string | undefined;
  readonly service?: object;
  readonly url?: string;
}

const SERVICE = { name: 'web', namespace: 'hooks' };
const OTHER_SERVICE = { name: 'other', namespace: 'hooks' };

/** A configuration of these webhooks, which accepts the write of its caBundles. */
const targetOf = (webhooks: readonly WebhookGiven[], over: Partial<TargetSnapshot> = {}, managedFields?: unknown) => {
  const [path] = snapshotOf().paths.targets;
  const body = {
    metadata: { resourceVersion: '1', managedFields },
    webhooks: webhooks.map(({ trust = '', service = SERVICE, url }, at) => ({
      name: `hook-${at}`,
      clientConfig: {
        ...(url === undefined ? { service } : { url }),
        ...(trust === '' ? {} : { caBundle: Buffer.from(trust).toString('base64') }),
      },
    })),
  };
  const object = there(inspectTarget('validatingwebhookconfiguration')(body));
  return { path: path!, object, write: { state: 'accepted' }, ...over } as const satisfies TargetSnapshot;
};

describe('check of the targets of CA_BUNDLE_TARGETS', () => {
  let good: IssuedValues;
  let chained: IssuedValues;
  let selfSigned: IssuedValues;
  let foreign: string;
  let unnamed: string;
  const nowMs = Date.now();
  before(async () => {
    const issue = issuerFor(NAMES);
    good = await issue('leaf');
    chained = await issue('chain');
    const ca = madeCertificates.ca('CN=foreign, O=others');
    const [alone, { pem }, { pem: nameless }] = await Promise.all([
      issue('self-signed'),
      ca,
      madeCertificates.authority({ subject: '' }),
    ]);
    [selfSigned, foreign, unnamed] = [alone, pem, nameless];
  });

  const results = (target: TargetSnapshot, given: Given = {}): readonly CheckResult[] =>
    checkTargets(snapshotOf({ nowMs, secret: secretOf({ ...good }), targets: [target], ...given }));
  const named = (beginning: string, ...given: Parameters<typeof results>): CheckResult =>
    resultNamed(results(...given), beginning);
  const inPlace = (): WebhookGiven => ({ trust: good['ca.crt'] });

  it('finds nothing wrong with one that trusts what is served', () => {
    expect(results(targetOf([inPlace()])).map(textOf)).to.deep.equal([
      `ok: ${ID} trusts the serving certificate: 1 caBundle`,
      `ok: ${ID} has no unknown CAs: `,
      `ok: no other field manager writes caBundle of ${ID}: `,
      `ok: ${ID} accepts writes of caBundle: by a dry run`,
    ]);
  });

  it('looks at every one of them', () => {
    const other = { ...targetOf([inPlace()]), path: { ...targetOf([]).path, id: 'mutatingwebhookconfiguration/web' } };
    const found = checkTargets(snapshotOf({ nowMs, targets: [targetOf([inPlace()]), other] }));
    expect(found.map(({ name }) => name).filter((name) => name.endsWith('has no unknown CAs'))).to.deep.equal([
      `${ID} has no unknown CAs`,
      'mutatingwebhookconfiguration/web has no unknown CAs',
    ]);
  });

  it('says that there is none', () => {
    expect(checkTargets(snapshotOf()).map(textOf)).to.deep.equal([
      'skipped: CA bundles are correct: CA_BUNDLE_TARGETS is empty',
    ]);
  });

  it('fails where one does not exist, and lists those that do with the Services that they call', () => {
    expect(results(targetOf([], { object: absent }))).to.deep.equal([
      {
        name: `${ID} exists`,
        status: 'fail',
        detail: 'CA_BUNDLE_TARGETS names it, but it does not exist',
        remedy:
          "kubectl get validatingwebhookconfiguration -o custom-columns=NAME:.metadata.name,SERVICE:'.webhooks[*].clientConfig.service.name'",
      },
    ]);
  });

  it('says nothing more of one that cannot be read than why', () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/web.hooks';
    const told = [forbidden, failed].map((object) => results(targetOf([], { object })));
    expect(told).to.deep.equal(unreadableResults(`${ID} exists`, path));
  });

  it('warns of one that has no caBundle field', () => {
    expect(results(targetOf([]))).to.deep.equal([
      { name: `${ID} exists`, status: 'warn', detail: 'it has no caBundle field', remedy: SHOW },
    ]);
  });

  describe('of what their caBundles trust', () => {
    const NAME = `${ID} trusts the serving certificate`;
    const trusts = (webhooks: readonly WebhookGiven[], given: Given = {}) => named(NAME, targetOf(webhooks), given);

    it('counts them', () => {
      expect(textOf(trusts([inPlace(), inPlace()]))).to.equal(`ok: ${NAME}: 2 caBundles`);
    });

    it('reads what callers read of it: the blocks that are whole', () => {
      const trust = `${BROKEN_BLOCK}${good['ca.crt']}`;
      expect(results(targetOf([{ trust }])).map(({ status }) => status)).to.deep.equal(['ok', 'ok', 'ok', 'ok']);
      expect(trusts([{ trust: BROKEN_BLOCK }]).detail).to.equal('caBundle is not PEM');
    });

    it('follows the chain over what stands behind the certificate in tls.crt', () => {
      expect(trusts([inPlace()], { secret: secretOf({ ...chained }) }).status).to.equal('ok');
    });

    it('fails where one is empty, is not PEM, or trusts another CA, and injects the own one', () => {
      for (const [trust, detail] of [
        ['', 'caBundle is empty'],
        ['nothing', 'caBundle is not PEM'],
        [foreign, 'none of the 1 certificates in caBundle issued CN=web, directly or over tls.crt'],
      ] as const)
        expect(trusts([{ trust }])).to.deep.equal({
          name: NAME,
          status: 'fail',
          detail,
          remedy: inject('web-cert', 'ca', 0),
        });
    });

    it('counts those that do not, names the first one, and changes no other', () => {
      expect(trusts([inPlace(), { trust: foreign }, {}])).to.deep.equal({
        name: NAME,
        status: 'fail',
        detail: `2 of 3 do not, ${pointer(1)}: none of the 1 certificates in caBundle issued CN=web, directly or over tls.crt`,
        remedy: inject('web-cert', 'ca', 1, 2),
      });
    });

    it('judges a CA by the clock of the API server', () => {
      expect(trusts([inPlace()], { nowMs: nowMs + 367 * 24 * HOUR_MS }).detail).to.match(/^the issuer .* has expired$/);
    });

    it('does not judge them without a certificate to be trusted', () => {
      for (const secret of [absent, secretOf({})])
        expect(textOf(trusts([{ trust: foreign }], { secret }))).to.equal(
          `skipped: ${NAME}: there is no readable certificate`,
        );
    });

    it('injects what the leader would: the bundle of its CA where ca.crt is not readable', () => {
      for (const trust of ['', `\ufeff${good['ca.crt']}`])
        expect(trusts([{}], { secret: secretOf({ ...good, 'ca.crt': trust }) }).remedy).to.equal(
          inject('web-cert-ca', 'ca-bundle', 0),
        );
    });

    it('injects a certificate itself only where it is self-signed, and else has its issuer correct ca.crt', () => {
      const remedyOf = (values: IssuedValues) => trusts([{}], { ...EXTERNAL, secret: secretOf({ ...values }) }).remedy;
      const show = String.raw`kubectl get secret web-cert -n hooks -o jsonpath='{.data.ca\.crt}' | base64 -d`;
      expect(remedyOf(good)).to.equal(inject('web-cert', 'ca', 0));
      expect(remedyOf({ ...selfSigned, 'ca.crt': '' })).to.equal(inject('web-cert', 'tls', 0));
      expect(remedyOf({ ...good, 'ca.crt': '' })).to.equal(show);
      expect(remedyOf({ ...selfSigned, 'ca.crt': 'nothing' })).to.equal(show);
      const ca = there(caInfoOf());
      const unread = { ...EXTERNAL, ca, secret: absent, lease: absent };
      expect(named(`${ID} has no unknown CAs`, targetOf([{ trust: foreign }]), unread).remedy).to.equal(show);
    });
  });

  describe('of CAs in their caBundles that nobody here issued', () => {
    const NAME = `${ID} has no unknown CAs`;
    const unknown = (trusts: readonly string[], given: Given = {}) =>
      named(NAME, targetOf(trusts.map((trust) => ({ trust }))), given);
    const both = () => `${good['ca.crt']}${foreign}`;

    it('warns, names each once, and writes the caBundles that have them', () => {
      expect(unknown([good['ca.crt'] ?? '', both(), foreign])).to.deep.equal({
        name: NAME,
        status: 'warn',
        detail: 'its caBundle contains CN=foreign, O=others, not a CA of this installation',
        remedy: inject('web-cert', 'ca', 1, 2),
      });
    });

    it('names several, and one without a name by its fingerprint', () => {
      expect(unknown([foreign + unnamed]).detail).to.match(
        /^its caBundle contains CN=foreign, O=others; ([0-9A-F]{2}:){7}[0-9A-F]{2}, not a CA of this installation$/,
      );
    });

    it('knows the CAs that the leader keeps beside those in the Secret, and those alone where that has none', () => {
      const { chain } = secretOf({ 'tls.crt': foreign }).value;
      const fingerprint = (chain[0]?.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
      const ca = there(caInfoOf({ bundle: [factsOf(fingerprint)] }));
      expect(textOf(unknown([both()], { ca }))).to.equal(`ok: ${NAME}: `);
      expect(textOf(unknown([foreign], { ca, secret: absent }))).to.equal(`ok: ${NAME}: `);
      expect(unknown([good['ca.crt'] ?? ''], { ca, secret: absent }).status).to.equal('warn');
    });

    it('says nothing where no CA of this installation is known', () => {
      const ca = there(caInfoOf({ bundle: null }));
      for (const given of [{ secret: absent }, { secret: there(secretInfoOf()), ca }])
        expect(textOf(unknown([foreign], given))).to.equal(`skipped: ${NAME}: no CA of this installation is readable`);
    });

    describe('with an external issuer, whose previous CA stays in the caBundles alone', () => {
      const during = (servedSinceMs: number | null, given: Given = {}) =>
        unknown([both()], { ...EXTERNAL, lease: there(leaseInfoOf({ servedSinceMs })), ...given }).status;

      it('allows it until the next certificate is served everywhere, and CA_OVERLAP and LEASE_DURATION later', () => {
        const { detail } = unknown([both()], EXTERNAL);
        expect(detail).to.equal('except for the previous CA, during CA_OVERLAP');
        expect(during(null)).to.equal('ok');
        expect(during(nowMs - HOUR_MS - MINUTE_MS + 1)).to.equal('ok');
        expect(during(nowMs - HOUR_MS - MINUTE_MS)).to.equal('warn');
      });

      it('allows none where no leader is there to remove it, nor where it cannot be known', () => {
        expect(during(null, { renewal: { renewed: false, watchedMs: 0, holderSkewMs: null } })).to.equal('warn');
        expect(during(null, { lease: absent })).to.equal('warn');
      });

      it('allows none where the leader keeps the CA, since that is then in the Secret too', () => {
        expect(during(null, { env: {} })).to.equal('warn');
      });
    });
  });

  describe('of other field managers', () => {
    const NAME = `no other field manager writes caBundle of ${ID}`;
    const owning = (...keys: readonly string[]) => ({
      'f:webhooks': Object.fromEntries(
        keys.map((key) => [`k:${JSON.stringify({ name: key })}`, { 'f:clientConfig': { 'f:caBundle': {} } }]),
      ),
    });
    const owned = (at: number, key: string): string =>
      `/metadata/managedFields/${at}/fieldsV1/f:webhooks/k:{"name":"${key}"}/f:clientConfig/f:caBundle`;
    const managers = (webhooks: readonly WebhookGiven[], managedFields: unknown) =>
      named(NAME, targetOf(webhooks, {}, managedFields));

    it('warns of one that owns a caBundle too, and removes its ownership, if it is still the same one', () => {
      const fields = [
        { manager: 'webhook-certd', fieldsV1: owning('hook-0') },
        { manager: 'helm', fieldsV1: owning('hook-0', 'hook-1') },
      ];
      const operations = [
        { op: 'test', path: '/metadata/managedFields/1/manager', value: 'helm' },
        { op: 'remove', path: owned(1, 'hook-0') },
        { op: 'remove', path: owned(1, 'hook-1') },
      ];
      expect(managers([inPlace(), inPlace()], fields)).to.deep.equal({
        name: NAME,
        status: 'warn',
        detail: 'helm owns the field too; omit caBundle from the manifest it applies, then remove its ownership',
        remedy: `${PATCH} '${JSON.stringify(operations)}'`,
      });
    });

    it('leaves to others the caBundles of webhooks that call other servers', () => {
      const webhooks = [inPlace(), { service: OTHER_SERVICE, trust: foreign }];
      expect(textOf(managers(webhooks, [{ manager: 'helm', fieldsV1: owning('hook-1') }]))).to.equal(`ok: ${NAME}: `);
      const { remedy } = managers(webhooks, [{ manager: 'helm', fieldsV1: owning('hook-0', 'hook-1') }]);
      expect(remedy).to.include('hook-0').and.not.to.include('hook-1');
    });

    it('tells webhooks apart whose places begin alike', () => {
      const others = Array.from({ length: 10 }, () => ({ service: OTHER_SERVICE }));
      const webhooks = [...others, inPlace()];
      expect(managers(webhooks, [{ manager: 'helm', fieldsV1: owning('hook-1') }]).status).to.equal('ok');
    });
  });

  describe('of the servers that they call', () => {
    const elsewhere = 'https://elsewhere.example.com/hook';

    it('leaves other servers alone, and names each once', () => {
      const webhooks = [inPlace(), { service: OTHER_SERVICE }, { service: OTHER_SERVICE }, { url: elsewhere }];
      const found = results(targetOf(webhooks));
      expect(textOf(found.at(-1)!)).to.equal(
        `skipped: ${ID} calls other servers: not of this installation, left unchanged: other.hooks.svc, ${elsewhere}`,
      );
      expect(found.map(({ status }) => status)).to.deep.equal(['ok', 'ok', 'ok', 'ok', 'skipped']);
    });

    it('fails where all are others, which is likely a wrong SERVICE_NAME or namespace, and shows the object', () => {
      for (const [service, server] of [
        [OTHER_SERVICE, 'other.hooks.svc'],
        [{ name: 'web', namespace: 'other' }, 'web.other.svc'],
      ] as const)
        expect(results(targetOf([{ service, trust: foreign }]))).to.deep.equal([
          {
            name: `${ID} calls the Service of this installation`,
            status: 'fail',
            detail: `it calls ${server} only, not web.hooks.svc (SERVICE_NAME)`,
            remedy: SHOW,
          },
        ]);
    });

    it('counts what the leader counts as calls of this installation by URL: its names, and the own host of the API server', () => {
      for (const url of ['https://web.hooks.svc:8443/validate', 'https://localhost:9443', 'https://[::1]:9443/'])
        expect(
          results(targetOf([{ url, trust: foreign }])).map(({ status }) => status),
          url,
        ).to.deep.equal(['fail', 'warn', 'ok', 'ok']);
      expect(results(targetOf([{ url: 'https://web.other.svc/' }])).map(textOf)).to.deep.equal([
        `fail: ${ID} calls the Service of this installation: it calls https://web.other.svc/ only, not web.hooks.svc (SERVICE_NAME)`,
      ]);
    });
  });

  describe('of the write of their caBundles', () => {
    const NAME = `${ID} accepts writes of caBundle`;
    const written = (write: TargetSnapshot['write'], given: Given = {}) =>
      results(targetOf([inPlace()], { write }), given);
    const denied = 'User "a" cannot patch resource "validatingwebhookconfigurations"';
    const rejected = (why: string) => ({ state: 'rejected', status: 403, why }) as const;

    it('says nothing where no dry run could be made', () => {
      expect(written({ state: 'unknown' })).to.have.length(3);
    });

    it('fails where the API server rejects it, and shows the object', () => {
      expect(resultNamed(written(rejected('policy says no')), NAME)).to.deep.equal({
        name: NAME,
        status: 'fail',
        detail: 'the API server rejects it: policy says no',
        remedy: SHOW,
      });
    });

    it('grants the permission that the replicas lack for it', () => {
      const access = [accessWithout({ validatingwebhookconfigurations: ['patch'] })];
      const { status, remedy } = resultNamed(written(rejected(denied), { access }), NAME);
      expect(status).to.equal('fail');
      expect(remedy).to.match(
        /^kubectl create clusterrole webhook-certd-patch-validatingwebhookconfigurations-hooks-web --verb=patch /,
      );
    });

    it('blames nobody where it is the user of the check who lacks it', () => {
      expect(textOf(resultNamed(written(rejected(denied)), NAME))).to.equal(
        `skipped: ${NAME}: the user of this check has no permission for a dry run`,
      );
    });
  });
});
