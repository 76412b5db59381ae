import { expect } from 'chai';
import { checkExpiries } from '../../src/check/check-expiries.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { CertificateInfo } from '../../streams/model.ts';
import { factsOf } from '../support/facts-of.ts';
import {
  absent,
  caInfoOf,
  forbidden,
  type Given,
  NOW_MS,
  resultNamed,
  secretInfoOf,
  snapshotOf,
  textOf,
  there,
} from './snapshot-of.ts';

const DAY_MS = 86_400_000;
const ROTATE = 'kubectl annotate --overwrite lease web -n hooks webhook-certd/rotate=';
const LOGS = 'kubectl logs -n hooks -l app.kubernetes.io/name=web --all-containers --prefix --tail=50';

/** A certificate that is valid from so many days before now until so many days from now. */
const lasting = (fingerprint: string, fromDays: number, toDays: number): CertificateInfo =>
  factsOf(fingerprint, {
    serial: '0123456789',
    notBeforeMs: NOW_MS + fromDays * DAY_MS,
    notAfterMs: NOW_MS + toDays * DAY_MS,
  });

describe('check of the validity', () => {
  const results = (leaf: CertificateInfo | null, given: Given = {}): readonly CheckResult[] =>
    checkExpiries(snapshotOf({ secret: there(secretInfoOf({ leaf })), ...given }));

  it('finds nothing wrong where all certificates are valid, by the clock of the API server', () => {
    const ca = there(caInfoOf({ current: lasting('ca', -10, 3_640), bundle: [lasting('ca', -10, 3_640)] }));
    expect(results(lasting('leaf', -10, 355), { ca }).map(textOf)).to.deep.equal([
      'ok: certificate is valid: until 2030-12-22T00:00Z, 355 d left',
      'ok: CA is valid: until 2039-12-20T00:00Z, 3640 d left',
    ]);
  });

  it('says nothing where there is nothing to judge', () => {
    const nothing = ['skipped: certificate is valid: no readable certificate'];
    expect(results(null).map(textOf)).to.deep.equal(nothing);
    for (const state of [absent, forbidden])
      expect(results(null, { secret: state, ca: state }).map(textOf)).to.deep.equal(nothing);
    expect(results(null, { ca: there(caInfoOf({ current: null, bundle: null })) }).map(textOf)).to.deep.equal(nothing);
  });

  describe('of the certificate', () => {
    const judged = (...given: Parameters<typeof results>) => {
      const { status, detail, remedy } = resultNamed(results(...given), 'certificate is valid');
      return { status, detail, remedy };
    };

    it('fails once it has expired, to the millisecond, and has another one issued', () => {
      const detail = 'expired at 2029-12-30T00:00Z, 2 d ago';
      expect(judged(lasting('leaf', -20, -2))).to.deep.equal({ status: 'fail', detail, remedy: `${ROTATE}leaf` });
      expect(judged(lasting('leaf', -20, 0)).status).to.equal('fail');
    });

    it('fails while it is not valid yet, and says for how long', () => {
      const detail = 'not valid before 2 d from now';
      expect(judged(lasting('leaf', 2, 20))).to.deep.equal({ status: 'fail', detail, remedy: `${ROTATE}leaf` });
      expect(judged(lasting('leaf', 0, 365)).status).to.equal('ok');
    });

    it('warns once half of RENEW_BEFORE has passed without a renewal', () => {
      const detail = 'until 2030-01-15T00:00Z, 14 d left: it should have been renewed by now';
      expect(judged(lasting('leaf', -351, 14))).to.deep.equal({ status: 'warn', detail, remedy: `${ROTATE}leaf` });
      expect(judged(lasting('leaf', -350, 15)).status).to.equal('ok');
      expect(judged(lasting('leaf', -345, 20), { env: { RENEW_BEFORE: '50d' } }).status).to.equal('warn');
    });

    it('warns of a shorter life in its last sixth', () => {
      expect(judged(lasting('leaf', -10, 2)).status).to.equal('ok');
      expect(judged(lasting('leaf', -10.1, 1.9)).status).to.equal('warn');
      expect(judged(lasting('leaf', -25, 5)).status).to.equal('ok');
      expect(judged(lasting('leaf', -25.1, 4.9)).status).to.equal('warn');
    });
  });

  describe('of the CA', () => {
    const judged = (current: CertificateInfo, isForeign = false) => {
      const ca = there(caInfoOf({ current, bundle: [current], isForeign }));
      const { status, detail, remedy } = resultNamed(results(null, { ca }), 'CA is valid');
      return { status, detail, remedy };
    };

    it('warns once half of CA_RENEW_BEFORE has passed without a renewal, and has another one issued', () => {
      expect(judged(lasting('ca', -3_468, 182))).to.deep.equal({
        status: 'warn',
        detail: 'until 2030-07-02T00:00Z, 182 d left: it should have been renewed by now',
        remedy: `${ROTATE}ca`,
      });
      expect(judged(lasting('ca', -3_467, 183)).status).to.equal('ok');
    });

    it('shows one of another party instead of replacing it by a generated one', () => {
      expect(judged(lasting('ca', -20, -2), true)).to.deep.equal({
        status: 'fail',
        detail: 'expired at 2029-12-30T00:00Z, 2 d ago',
        remedy: 'kubectl describe secret web-cert-ca -n hooks',
      });
    });

    it('is judged by itself where the bundle beside it cannot be read', () => {
      const ca = there(caInfoOf({ current: lasting('ca', -10, 3_640), bundle: null }));
      expect(results(null, { ca }).map(({ status }) => status)).to.deep.equal(['skipped', 'ok']);
    });

    it('is not judged where another issuer keeps it', () => {
      const ca = there(caInfoOf({ current: lasting('ca', -20, -2), bundle: [lasting('older', -20, -2)] }));
      expect(results(lasting('leaf', -10, 355), { ca, env: { CERT_ISSUER: 'external' } })).to.have.length(1);
    });
  });

  describe('of the older CAs', () => {
    const older = (...bundle: readonly CertificateInfo[]): readonly CheckResult[] =>
      results(null, { ca: there(caInfoOf({ current: lasting('ca', -10, 3_640), bundle })) }).slice(2);

    it('names each of them by its subject and serial number', () => {
      expect(
        older(lasting('one', -9, 300), lasting('ca', -10, 3_640), lasting('two', -9, 1)).map(textOf),
      ).to.deep.equal([
        'ok: older CA CN=one 01234567 is valid: until 2030-10-28T00:00Z, 300 d left',
        'ok: older CA CN=two 01234567 is valid: until 2030-01-02T00:00Z, 24 h left',
      ]);
    });

    it('warns of one that has expired and was not removed, which is the task of the leader', () => {
      expect(older(lasting('one', -9, 0))).to.deep.equal([
        {
          name: 'older CA CN=one 01234567 is valid',
          status: 'warn',
          detail: 'expired at 2030-01-01T00:00Z, 0 s ago, and still in the bundle',
          remedy: LOGS,
        },
      ]);
    });

    it('counts all of the bundle where no current CA can be read', () => {
      const found = results(null, { ca: there(caInfoOf({ current: null, bundle: [lasting('one', -9, 300)] })) });
      expect(found.slice(1).map(({ status }) => status)).to.deep.equal(['ok']);
    });
  });
});
