import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { describeCertificate } from '../../src/certificates/certificate-info.ts';
import { checkCa, checkSecret, checkSource } from '../../src/check/check-secrets.ts';
import { type CaInfo, inspectSource, type SecretInfo } from '../../src/check/inspect-secrets.ts';
import type { CheckResult } from '../../src/check/result.ts';
import { factsOf } from '../support/facts-of.ts';
import { type IssuedValues, issuerFor } from '../support/issuing-program.ts';
import {
  absent,
  accessWithout,
  ANNOUNCED,
  BROKEN_BLOCK,
  caInfoOf,
  EXTERNAL,
  failed,
  forbidden,
  type Given,
  leaseInfoOf,
  NAMES,
  OLDER,
  podOf,
  resultNamed,
  secretBody,
  secretInfoOf,
  secretOf,
  snapshotOf,
  textOf,
  there,
  unreadableResults,
} from './snapshot-of.ts';

const RELAY = { env: { CERT_ISSUER: 'relay', SOURCE_SECRET: 'issued' } };
const BYTE_ORDER_MARK = '\ufeff';

const LOGS = 'kubectl logs -n hooks -l app.kubernetes.io/name=web --all-containers --prefix --tail=50';
const ROTATE_LEAF = 'kubectl annotate --overwrite lease web -n hooks webhook-certd/rotate=leaf';
const ROTATE_CA = 'kubectl annotate --overwrite lease web -n hooks webhook-certd/rotate=ca';
const SHOW_TRUST = String.raw`kubectl get secret web-cert -n hooks -o jsonpath='{.data.ca\.crt}' | base64 -d`;
const OPENSSL =
  '(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 365 -subj /CN=web ' +
  `-addext subjectAltName=${NAMES.map((name) => `DNS:${name}`).join(',')}) && `;
/** Saves a Secret and deletes it as it was read. */
const setAside = (name: string, resourceVersion: string): string =>
  `(umask 077 && kubectl get secret ${name} -n hooks -o yaml > ${name}.backup.yaml) && ` +
  `echo '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"${resourceVersion}"}}' | ` +
  `kubectl delete --raw /api/v1/namespaces/hooks/secrets/${name} -f -`;
const recreate = (name: string): string => {
  const get = `kubectl get secret ${name} -n hooks -o`;
  return `test "$(${get} jsonpath='{.immutable}')" = true && ${get} json | sed 's/"immutable": true/"immutable": false/' | kubectl replace --force -f -`;
};

describe('check of the Secrets', () => {
  let good: IssuedValues;
  let other: IssuedValues;
  let chained: IssuedValues;
  let selfSigned: IssuedValues;
  const nowMs = Date.now();
  before(async () => {
    const issue = issuerFor(NAMES);
    good = await issue('leaf');
    chained = await issue('chain');
    [other, selfSigned] = await Promise.all([issuerFor(['other.hooks.svc'])('ca'), issue('self-signed')]);
  });

  describe('of the serving Secret', () => {
    const results = (info: SecretInfo, given: Given = {}): readonly CheckResult[] =>
      checkSecret(
        snapshotOf({
          nowMs,
          secret: there(info),
          lease: there(leaseInfoOf({ announcement: { hash: info.hash ?? ANNOUNCED, validUntil: '' } })),
          ...given,
        }),
      );
    /** With these values, and this on top of what is read of them. */
    const read = (values: IssuedValues, over: Partial<SecretInfo> = {}): SecretInfo => ({
      ...secretOf({ ...values }).value,
      ...over,
    });
    const named = (name: string, ...given: Parameters<typeof results>): CheckResult => {
      const found = resultNamed(results(...given), name);
      expect(found.name).to.equal(name);
      return found;
    };

    it('finds nothing wrong with a good one', () => {
      const info = read(good);
      expect(results(info).map(textOf)).to.deep.equal([
        'ok: Secret exists: web-cert',
        'ok: Secret is of type kubernetes.io/tls: ',
        "ok: Secret's key matches its certificate: ",
        `ok: Secret's certificate is the announced one: ${info.hash?.slice(0, 12)}`,
        'ok: certificate carries the names of the Service: web.hooks.svc and 3 more',
        'ok: ca.crt is readable: 1 CA',
        'ok: certificate chains to the ca.crt beside it: ',
      ]);
    });

    it('says whose task it was to write one that does not exist, and how it comes about', () => {
      const only = (given: Given): readonly CheckResult[] => checkSecret(snapshotOf({ secret: absent, ...given }));
      const name = 'Secret exists';
      const missing = (whose: string) => `there is no Secret web-cert in hooks: ${whose}`;
      const create =
        'kubectl create secret generic web-cert -n hooks --type=kubernetes.io/tls ' +
        '--from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt';
      for (const [given, whose, remedy] of [
        [{}, 'the leader has not issued it', LOGS],
        [RELAY, 'the leader has not copied it', LOGS],
        [EXTERNAL, 'its issuer has not written it', OPENSSL + create],
      ] as const)
        expect(only(given)).to.deep.equal([{ name, status: 'fail', detail: missing(whose), remedy }]);
    });

    it('says nothing more of one that cannot be read than why', () => {
      const told = [forbidden, failed].map((secret) => checkSecret(snapshotOf({ secret })));
      expect(told).to.deep.equal(unreadableResults('Secret exists', '/api/v1/namespaces/hooks/secrets/web-cert'));
    });

    it('fails where it is that of another party, and sets it aside with a copy, unless it has changed meanwhile', () => {
      const name = 'Secret is that of this installation';
      const found = results(read(good, { foreign: 'another party wrote it' }));
      expect(found[1]).to.deep.equal({
        name,
        status: 'fail',
        detail:
          'webhook-certd did not write Secret web-cert and does not overwrite it: another party wrote it. Name another one in SECRET_NAME, or set this one aside, so that the leader issues into its place',
        remedy: setAside('web-cert', '7'),
      });
    });

    it('fails where the leader cannot change it, warns where its issuer cannot, and recreates it with its data', () => {
      const name = 'Secret web-cert can be changed';
      const remedy = recreate('web-cert');
      expect(named(name, read(good, { isImmutable: true }))).to.deep.equal({
        name,
        status: 'fail',
        detail: 'it is immutable, so the leader cannot renew what it contains',
        remedy,
      });
      expect(named(name, read(good, { isImmutable: true }), EXTERNAL)).to.deep.equal({
        name,
        status: 'warn',
        detail: 'it is immutable, so its issuer cannot renew it',
        remedy,
      });
    });

    it('warns of another type, which only another Secret can have', () => {
      const name = 'Secret is of type kubernetes.io/tls';
      expect(named(name, read(good, { type: 'Opaque' }))).to.deep.equal({
        name,
        status: 'warn',
        detail: 'its type Opaque cannot be changed; it is issued again once deleted',
        remedy: setAside('web-cert', '7'),
      });
    });

    it('fails where there is no certificate, or a key of another one, and asks the leader for another pair', () => {
      const name = "Secret's key matches its certificate";
      for (const [values, detail] of [
        [{}, 'it has no tls.crt'],
        [{ ...good, 'tls.key': other['tls.key'] }, 'tls.key belongs to another certificate'],
      ] as const)
        expect(named(name, read(values))).to.deep.equal({ name, status: 'fail', detail, remedy: ROTATE_LEAF });
    });

    it('fails where another certificate is announced, which the leader has to end', () => {
      const name = "Secret's certificate is the announced one";
      const lease = there(leaseInfoOf());
      expect(named(name, secretInfoOf({ hash: OLDER }), { lease })).to.deep.equal({
        name,
        status: 'fail',
        detail: 'Secret: bbbbbbbbbbbb, announced: aaaaaaaaaaaa',
        remedy: LOGS,
      });
    });

    it('compares nothing with a certificate that is not announced, or not there', () => {
      const nothing = "skipped: Secret's certificate is the announced one: nothing to compare";
      const silent = there(leaseInfoOf({ announcement: null }));
      for (const [info, lease] of [
        [secretInfoOf(), silent],
        [secretInfoOf(), absent],
        [secretInfoOf({ hash: null }), there(leaseInfoOf())],
      ] as const)
        expect(results(info, { lease }).map(textOf)).to.include(nothing);
    });

    it('fails where the certificate lacks names that callers use, and names them', () => {
      const name = 'certificate carries the names of the Service';
      const env = { EXTRA_DNS_NAMES: 'a.example.com,b.example.com' };
      expect(named(name, read(good), { env })).to.deep.equal({
        name,
        status: 'fail',
        detail: 'it lacks a.example.com, b.example.com',
        remedy: ROTATE_LEAF,
      });
      expect(textOf(named(name, read(good), RELAY))).to.equal(`ok: ${name}: web.hooks.svc`);
    });

    it('judges neither names nor issuer of a certificate that is not there', () => {
      const nothing = 'there is no readable certificate';
      for (const name of ['certificate carries the names of the Service', 'certificate chains to the ca.crt beside it'])
        expect(textOf(named(name, read({ 'ca.crt': good['ca.crt'] })))).to.equal(`skipped: ${name}: ${nothing}`);
    });

    describe('its ca.crt', () => {
      const name = 'ca.crt is readable';

      it('is counted, and may be empty where callers know the CA from elsewhere', () => {
        const both = `${good['ca.crt']}${other['ca.crt']}`;
        expect(named(name, read({ ...good, 'ca.crt': both })).detail).to.equal('2 CAs');
        expect(textOf(named(name, read({ ...good, 'ca.crt': '' })))).to.equal(`ok: ${name}: 0 CAs`);
      });

      it('fails where nothing of it can be read, and warns where something can: the leader writes it again', () => {
        expect(named(name, read({ ...good, 'ca.crt': 'nothing' }))).to.deep.equal({
          name,
          status: 'fail',
          detail: 'ca.crt: it contains no certificate',
          remedy: LOGS,
        });
        const { status, detail, remedy } = named(name, read({ ...good, 'ca.crt': `${good['ca.crt']}${BROKEN_BLOCK}` }));
        expect([status, remedy]).to.deep.equal(['warn', LOGS]);
        expect(detail).to.match(/^ca\.crt: PEM block 2 [^;]*$/);
      });

      it('of an external issuer is shown, since nothing else may correct it', () => {
        expect(named(name, read({ ...good, 'ca.crt': `${BYTE_ORDER_MARK}${good['ca.crt']}` }), EXTERNAL)).to.deep.equal(
          {
            name,
            status: 'warn',
            detail: 'ca.crt: it starts with a byte order mark; it has to be corrected by the issuer of the Secret',
            remedy: SHOW_TRUST,
          },
        );
      });
    });

    describe('the issuer of its certificate', () => {
      const name = 'certificate chains to the ca.crt beside it';
      const chain = (...given: Parameters<typeof results>): string => textOf(named(name, ...given));

      it('is found over what stands behind the certificate in tls.crt', () => {
        expect(chain(read(chained))).to.equal(`ok: ${name}: `);
        const [leaf = ''] = /^.*?-----END CERTIFICATE-----\n/s.exec(chained['tls.crt'] ?? '') ?? [];
        expect(named(name, read({ ...chained, 'tls.crt': leaf })).status).to.equal('fail');
      });

      it('is judged although the certificate has expired, which is reported by itself', () => {
        const lateMs = nowMs + 364 * 86_400_000;
        expect(chain(read(good), { nowMs: lateMs })).to.equal(`ok: ${name}: `);
        expect(named(name, read(good), { nowMs: lateMs + 2 * 86_400_000 }).detail).to.match(/ has expired$/);
      });

      it('fails to be another one, and the leader is asked for another pair', () => {
        const { status, detail, remedy } = named(name, read({ ...good, 'ca.crt': other['ca.crt'] }));
        expect([status, remedy]).to.deep.equal(['fail', ROTATE_LEAF]);
        expect(detail).to.equal('none of the 1 certificates in ca.crt issued CN=web, directly or over tls.crt');
      });

      it('is shown where it is external: its pair is not replaced on account of a ca.crt that does not fit', () => {
        for (const trust of [other['ca.crt'], ''])
          expect(named(name, read({ ...good, 'ca.crt': trust }), EXTERNAL)).to.include({
            status: 'fail',
            remedy: SHOW_TRUST,
          });
      });

      it('has to be in ca.crt where the leader issues, and may be the certificate itself where another does', () => {
        const alone = read({ ...selfSigned, 'ca.crt': '' }, { foreign: null });
        expect(named(name, alone)).to.deep.equal({
          name,
          status: 'fail',
          detail: 'Secret has no ca.crt',
          remedy: ROTATE_LEAF,
        });
        expect(chain(alone, EXTERNAL)).to.equal(`ok: ${name}: `);
        expect(chain(alone, RELAY)).to.equal(`ok: ${name}: `);
      });

      it('is not judged where the source of a relayed pair says none', () => {
        expect(chain(read({ ...good, 'ca.crt': '' }), RELAY)).to.equal(
          `skipped: ${name}: neither this Secret nor SOURCE_SECRET has a ca.crt`,
        );
      });

      it('is not judged by a ca.crt that cannot be read, which is reported by itself', () => {
        for (const given of [{}, EXTERNAL, RELAY])
          expect(chain(read({ ...good, 'ca.crt': 'nothing' }), given)).to.equal(
            `skipped: ${name}: ca.crt is not readable`,
          );
      });
    });
  });

  describe('of SOURCE_SECRET', () => {
    const sourceOf = (values: IssuedValues, annotations: Readonly<Record<string, string>> = {}) => {
      const metadata = { resourceVersion: '9', annotations };
      return there(inspectSource(['web.hooks.svc'])(secretBody({ ...values }, { metadata })));
    };
    const results = (given: Given): readonly CheckResult[] => checkSource(snapshotOf({ nowMs, ...RELAY, ...given }));
    const texts = (given: Given): readonly string[] => results(given).map(textOf);
    const USABLE = 'SOURCE_SECRET can be relayed';
    const SIGNER = 'SOURCE_SECRET says which CA signs';
    const MOUNTED = 'SOURCE_SECRET is what is mounted';
    const UNMOUNTED = 'no replica mounts SOURCE_SECRET';
    const DESCRIBE = 'kubectl describe secret issued -n hooks';
    const issued = { 'cert-manager.io/certificate-name': 'webhook' };

    it('is not asked for where none is relayed', () => {
      expect(checkSource(snapshotOf())).to.deep.equal([]);
      expect(checkSource(snapshotOf({ source: absent }))).to.deep.equal([]);
      expect(checkSource(snapshotOf({ ...RELAY, source: null }))).to.deep.equal([]);
    });

    it('finds nothing wrong where it is what is mounted', () => {
      expect(texts({ source: sourceOf(good), secret: secretOf({ ...good }) })).to.deep.equal([
        `ok: ${USABLE}: issued`,
        `ok: ${SIGNER}: 1 CA`,
        `ok: ${MOUNTED}: ${secretOf({ ...good }).value.hash?.slice(0, 12)}`,
        `ok: ${UNMOUNTED}: `,
      ]);
    });

    it('fails where it does not exist, and says nothing more of it', () => {
      expect(results({ source: absent }).slice(0, -1)).to.deep.equal([
        {
          name: USABLE,
          status: 'fail',
          detail: 'Secret issued: it does not exist; what is mounted stays in use until its issuer writes another one',
          remedy: DESCRIBE,
        },
      ]);
    });

    it('says why it cannot be read, and says nothing more of it', () => {
      expect(texts({ source: forbidden })).to.deep.equal([
        `skipped: ${USABLE}: not readable with these permissions: get it: 403 forbidden`,
        `ok: ${UNMOUNTED}: `,
      ]);
      const [result, ...more] = results({ source: failed });
      expect(result).to.deep.equal({
        name: USABLE,
        status: 'fail',
        detail: 'get it: 500 no answer',
        remedy: 'kubectl get --raw /api/v1/namespaces/hooks/secrets/issued',
      });
      expect(more.map(({ name }) => name)).to.deep.equal([UNMOUNTED]);
    });

    it('fails where callers would refuse it, and asks cert-manager where that issues it', () => {
      const torn = { ...good, 'tls.key': other['tls.key'] };
      const detail =
        'Secret issued: tls.key belongs to another certificate; what is mounted stays in use until its issuer writes another one';
      for (const [annotations, remedy] of [
        [{}, DESCRIBE],
        [issued, 'kubectl describe certificate webhook -n hooks'],
      ] as const)
        expect(
          results({ source: sourceOf(torn, annotations), secret: secretOf({ ...good }) }).slice(0, -1),
        ).to.deep.equal([{ name: USABLE, status: 'fail', detail, remedy }]);
    });

    it('fails where it is empty or has expired, by the clock of the API server', () => {
      const empty = texts({ source: sourceOf({}) });
      expect(empty[0]).to.include('Secret issued: it has no tls.crt; ');
      expect(empty.slice(1)).to.deep.equal([`ok: ${UNMOUNTED}: `]);
      const late = texts({ source: sourceOf(good), nowMs: nowMs + 366 * 86_400_000 });
      expect(late[0]).to.include('Secret issued: its certificate expired at ');
      expect(late.slice(1)).to.deep.equal([`ok: ${SIGNER}: 1 CA`, `ok: ${UNMOUNTED}: `]);
    });

    it('counts its CAs, and warns where it says none: nobody then writes the caBundles', () => {
      const both = { ...good, 'ca.crt': `${good['ca.crt']}${other['ca.crt']}` };
      expect(texts({ source: sourceOf(both) })[1]).to.equal(`ok: ${SIGNER}: 2 CAs`);
      expect(texts({ source: sourceOf({ ...selfSigned, 'ca.crt': undefined }) })[1]).to.equal(`ok: ${SIGNER}: 1 CA`);
      expect(results({ source: sourceOf({ ...good, 'ca.crt': undefined }, issued) })[1]).to.deep.equal({
        name: SIGNER,
        status: 'warn',
        detail: 'it has no ca.crt, so that no caBundle is written: a change of its CA has to be injected by hand',
        remedy: 'kubectl describe certificate webhook -n hooks',
      });
    });

    it('warns where another certificate is mounted, which the leader replaces in time', () => {
      const waiting = results({ source: sourceOf(good), secret: secretOf({ ...chained }) });
      expect(resultNamed(waiting, MOUNTED)).to.deep.equal({
        name: MOUNTED,
        status: 'warn',
        detail:
          'Secret web-cert holds another certificate: the leader copies the next one once every caBundle trusts its CA, and TRUST_SETTLE later',
        remedy: LOGS,
      });
    });

    it('is not compared with a Secret that is not there', () => {
      expect(texts({ source: sourceOf(good), secret: absent })).to.include(
        `skipped: ${MOUNTED}: the Secret is not there to be compared`,
      );
    });

    it('fails where a replica mounts it, and shows that Pod', () => {
      const sources = ['other', 'issued'].map((name) => ({ secret: { name } }));
      const volumes = [{ name: 'certs', projected: { sources } }];
      const pods = there([podOf('web-0', { spec: { volumes: [] } }), podOf('web-1', { spec: { volumes } })]);
      expect(results({ source: absent, pods }).at(-1)).to.deep.equal({
        name: UNMOUNTED,
        status: 'fail',
        detail: 'Pod web-1 mounts Secret issued, whose certificate changes before the caBundles do: mount web-cert',
        remedy: 'kubectl get pod web-1 -n hooks -o yaml',
      });
      expect(results({ source: absent, pods: forbidden })).to.have.length(1);
    });
  });

  describe('of the CA', () => {
    const results = (ca: Partial<CaInfo> = {}, given: Given = {}): readonly CheckResult[] =>
      checkCa(snapshotOf({ ca: there(caInfoOf(ca)), ...given }));
    const named = (name: string, ...given: Parameters<typeof results>): CheckResult =>
      resultNamed(results(...given), name);

    it('finds nothing wrong with a good one', () => {
      expect(results().map(textOf)).to.deep.equal([
        'ok: CA exists: CN=ca',
        'ok: CA key matches its certificate: ',
        'ok: trust bundle contains the CA: ',
      ]);
    });

    it('is not asked for where another issuer keeps it', () => {
      for (const [given, issuer] of [
        [EXTERNAL, 'external'],
        [RELAY, 'relay'],
      ] as const)
        expect(checkCa(snapshotOf({ ...given, ca: absent })).map(textOf)).to.deep.equal([
          `skipped: CA exists: CERT_ISSUER=${issuer}: another issuer keeps the CA`,
        ]);
    });

    it('fails where it does not exist, and grants the leader what it lacks for it', () => {
      const access = [accessWithout({ secrets: ['create'] })];
      const [result, ...more] = checkCa(snapshotOf({ ca: absent, access }));
      expect(more).to.deep.equal([]);
      expect(result).to.include({
        name: 'CA exists',
        status: 'fail',
        detail: 'there is no Secret web-cert-ca in hooks: no leader has created it',
      });
      expect(result?.remedy).to.match(/^kubectl create role webhook-certd-create-secrets-hooks-web /);
    });

    it('says nothing more of one that cannot be read than why', () => {
      const told = [forbidden, failed].map((ca) => checkCa(snapshotOf({ ca })));
      expect(told).to.deep.equal(unreadableResults('CA exists', '/api/v1/namespaces/hooks/secrets/web-cert-ca'));
    });

    it('fails where another party has put there what cannot sign, and sets it aside with a copy', () => {
      expect(results({ current: null, problem: 'it holds tls.crt', isForeign: true })).to.deep.equal([
        {
          name: 'CA is usable',
          status: 'fail',
          detail:
            'webhook-certd did not write Secret web-cert-ca and does not overwrite it, but cannot use it: it holds tls.crt. Correct it, or remove it so that the leader issues a CA',
          remedy: setAside('web-cert-ca', '8'),
        },
      ]);
    });

    it('is content with one of another party that can sign', () => {
      expect(results({ isForeign: true }).map(({ status }) => status)).to.deep.equal(['ok', 'ok', 'ok']);
    });

    it('fails where its own key is another one, and has another CA issued', () => {
      const found = results({ current: null, problem: 'ca.key belongs to another certificate', bundle: null });
      expect(found[0]).to.include({ status: 'ok', detail: 'web-cert-ca' });
      expect(found[1]).to.deep.equal({
        name: 'CA key matches its certificate',
        status: 'fail',
        detail: 'ca.key belongs to another certificate',
        remedy: ROTATE_CA,
      });
    });

    it('fails where it is immutable, and recreates it with its data', () => {
      expect(named('Secret web-cert-ca can be changed', { isImmutable: true })).to.deep.equal({
        name: 'Secret web-cert-ca can be changed',
        status: 'fail',
        detail: 'it is immutable, so the leader cannot renew what it contains',
        remedy: recreate('web-cert-ca'),
      });
    });

    it('counts the older CAs that are still trusted', () => {
      const bundle = [factsOf('older'), factsOf('ca'), factsOf('oldest')];
      expect(named('trust bundle contains the CA', { bundle }).detail).to.equal('and 2 older, still trusted');
    });

    it('fails where the trust bundle lacks it, or cannot be read', () => {
      const name = 'trust bundle contains the CA';
      const detail = 'ca-bundle.crt does not contain the current CA';
      for (const bundle of [[factsOf('older')], [], null])
        expect(named(name, { bundle })).to.deep.equal({ name, status: 'fail', detail, remedy: LOGS });
      expect(named(name, { current: null, problem: 'ca.key: none' }).status).to.equal('fail');
    });

    it('warns where the ca.crt beside the certificate lacks one of the trust bundle', () => {
      const name = 'Secret contains the whole trust bundle';
      const [own, older] = [good, other].map((values) =>
        describeCertificate(new X509Certificate(values['ca.crt'] ?? '')),
      );
      const secret = secretOf({ ...good });
      const bundled = (...bundle: readonly (typeof own)[]): readonly CheckResult[] =>
        results({ current: own ?? null, bundle: bundle.flatMap((each) => each ?? []) }, { secret });
      expect(bundled(own).map(({ status }) => status)).to.deep.equal(['ok', 'ok', 'ok']);
      expect(bundled(own, older).at(-1)).to.deep.equal({
        name,
        status: 'warn',
        detail: 'its ca.crt lacks a CA',
        remedy: LOGS,
      });
      const trust = `${good['ca.crt']}${other['ca.crt']}`;
      const both = { secret: secretOf({ ...good, 'ca.crt': trust }) };
      const bundle = [own, older].flatMap((each) => each ?? []);
      expect(results({ current: own ?? null, bundle }, both).map(({ status }) => status)).to.deep.equal([
        'ok',
        'ok',
        'ok',
      ]);
      expect(results({ bundle: null }, { secret }).map((each) => each.name)).not.to.include(name);
    });
  });
});
