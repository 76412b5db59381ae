import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeCertificates, subjectAltNames } from '../../src/certificates/certificate-info.ts';
import { splitPem } from '../../src/certificates/pem.ts';
import { corpus } from '../fuzz/corpus.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { openssl, pki } from '../support/pki.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('certificateFacts', () => {
  it('tells of each certificate what openssl tells of it', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'tls.crt');
    const { certificate } = await pki.pair();
    await writeFile(path, certificate);
    const printed = async (...what: readonly string[]) =>
      (await openssl('x509', '-in', path, '-noout', ...what)).trim().replace(/^[^=]*=/, '');

    const [facts, ...others] = describeCertificates(certificate);

    expect(others).to.be.empty;
    expect(facts?.fingerprint).to.equal((await printed('-fingerprint', '-sha256')).replaceAll(':', '').toLowerCase());
    expect(facts?.serial).to.equal((await printed('-serial')).toLowerCase());
    expect(facts?.subject).to.equal('CN=svc');
    expect(facts?.notBeforeMs).to.equal(Date.parse(await printed('-startdate')));
    expect(facts?.notAfterMs).to.equal(Date.parse(await printed('-enddate')));
    expect(facts?.names).to.deep.equal(pki.names);
  });

  it('keeps the order of a bundle, passes over other blocks, and finds nothing in nothing', async () => {
    const [one, other] = await Promise.all([pki.pair(), pki.pair()]);

    const both = describeCertificates(Buffer.concat([other.trust, other.key, one.trust]));

    expect(both).to.deep.equal([...describeCertificates(other.trust), ...describeCertificates(one.trust)]);
    expect(both.map(({ subject }) => subject)).to.satisfy(([left, right]: string[]) => left !== right);
    expect(describeCertificates('')).to.deep.equal([]);
  });

  it('lists IP addresses the way people write them, after the names', async () => {
    const { certificate } = await pki.pair({ names: ['*.example.org', '10.0.0.1', '2001:db8::1'] });

    expect(describeCertificates(certificate)[0]?.names).to.deep.equal(['*.example.org', '10.0.0.1', '2001:db8::1']);
  });

  it('leaves the subject empty where the first name is too long for one', async () => {
    const long = `${'a'.repeat(60)}.example.org`;

    const [facts] = describeCertificates((await pki.pair({ names: [long] })).certificate);

    expect(facts).to.include({ subject: '' });
    expect(facts?.names).to.deep.equal([long]);
  });

  it('joins the parts of a subject', async () => {
    const { pem } = await madeCertificates.authority({ subject: 'O=org, CN=name' });
    expect(describeCertificates(pem)[0]?.subject).to.equal('O=org, CN=name');
  });

  it('refuses a certificate whose dates OpenSSL takes and nobody can read', () => {
    const [block] = splitPem(corpus.good.certificate);
    const undated = Buffer.from(block?.der.toString('latin1').replace('0101000000Z', '0141000000Z') ?? '', 'latin1');
    const pem = `-----BEGIN CERTIFICATE-----\n${undated.toString('base64')}\n-----END CERTIFICATE-----\n`;

    expect(new X509Certificate(undated).validFrom).to.equal('Bad time value');
    // Again and again, since what Node takes for its date is left over from another.
    for (let time = 0; time < 300; time += 1) {
      describeCertificates(corpus.good.certificate);
      expect(() => describeCertificates(pem)).to.throw(/^PEM block 1 is a certificate without readable dates$/);
    }
  });

  it('refuses a block that is no certificate, without repeating it', () => {
    expect(() => describeCertificates('-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n')).to.throw(
      /^PEM block 1 is not an X\.509 certificate$/,
    );
  });
});

describe('subjectAltNames', () => {
  it('reads the quoted entries of node:crypto, which may hold commas and look like entries', () => {
    expect(subjectAltNames('DNS:a.b, DNS:"evil\\u002c DNS:c, \\"d\\"", IP Address:127.0.0.1')).to.deep.equal([
      'a.b',
      'evil, DNS:c, "d"',
      '127.0.0.1',
    ]);
  });

  it('leaves out what is neither a DNS name nor an address', () => {
    expect(subjectAltNames('URI:https://a/?b=c, email:"x, DNS:y"@z, DirName:CN=q, DNS:ok')).to.include('ok');
    expect(subjectAltNames('URI:spiffe://a/b, email:a@b, Registered ID:1.2.3.4, DNS:ok')).to.deep.equal(['ok']);
    expect(subjectAltNames(undefined)).to.deep.equal([]);
  });
});
