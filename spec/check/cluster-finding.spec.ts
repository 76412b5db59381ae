import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  certificateText,
  endpointsText,
  endpointText,
  few,
  finding,
  FINDINGS,
  shortHash,
  subjectText,
} from '../../src/check/cluster-finding.ts';
import type { Probed } from '../../src/check/cluster-survey.ts';
import { madeCertificates } from '../support/made-certificates.ts';

const probedPod = (pod: string | null): Probed => ({
  endpoint: { address: '10.0.0.1', port: 8443, ready: true, pod },
  result: { state: 'skipped', detail: '' },
});

describe('a finding of check --cluster', () => {
  it('is explained by its heading in the guide, as GitHub makes an anchor of it', () => {
    expect(finding('tls-1.2-only', 'note', 'detail', null)).to.deep.equal({
      id: 'tls-1.2-only',
      severity: 'note',
      detail: 'detail',
      remedy: null,
      page: 'docs/guides/cluster-check.md#tls-12-only',
    });
    expect(finding('expired', 'fail', 'detail', 'kubectl get x', null).page).to.equal(
      'docs/guides/cluster-check.md#expired',
    );
  });

  it('is explained by the page of the program that knows more', () => {
    expect(finding('expired', 'fail', 'detail', 'kubectl get x', 'https://example.com')).to.include({
      remedy: 'kubectl get x',
      page: 'https://example.com',
    });
  });

  it('has a title that says what is wrong', () => {
    for (const [id, title] of Object.entries(FINDINGS)) expect(title, id).to.match(/^[a-z].{15,}[A-Za-z0-9.]$/);
    expect(new Set(Object.values(FINDINGS)).size).to.equal(Object.keys(FINDINGS).length);
  });
});

describe('the words of a finding of check --cluster', () => {
  it('name an endpoint by its Pod, else by its address', () => {
    expect(endpointText(probedPod('webhook-0').endpoint)).to.equal('Pod webhook-0');
    expect(endpointText(probedPod(null).endpoint)).to.equal('10.0.0.1:8443');
  });

  it('show three texts, and how many more there are', () => {
    for (const [texts, shown] of [
      [[], ''],
      [['a'], 'a'],
      [['a', 'b', 'c'], 'a, b, c'],
      [['a', 'b', 'c', 'd'], 'a, b, c and 1 more'],
      [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2 more'],
    ] as const)
      expect(few(texts)).to.equal(shown);
  });

  it('name endpoints beside how many there are', () => {
    const all = ['a', 'b', 'c'].map(probedPod);
    expect(endpointsText(all, all)).to.equal('all 3 endpoints');
    expect(endpointsText(all.slice(0, 2), all)).to.equal('2 of 3 endpoints (Pod a, Pod b)');
    expect(endpointsText(all.slice(0, 1), all.slice(0, 1))).to.equal('Pod a');
  });

  it('name a certificate by the first digits of its fingerprint', async () => {
    const { pem } = await madeCertificates.selfSigned(['a.example.com']);
    const certificate = new X509Certificate(pem);
    const hash = certificate.fingerprint256.split(':').slice(0, 6).join('').toLowerCase();
    expect(shortHash(certificate)).to.equal(hash);
    expect(shortHash(null)).to.equal('nothing');
    expect(certificateText(certificate)).to.equal(`leaf ${hash}`);
  });

  it('name a CA by its subject on one line', async () => {
    const ca = new X509Certificate((await madeCertificates.ca('O=Example, CN=root')).pem);
    expect(subjectText(ca)).to.equal('O=Example, CN=root');
    expect(certificateText(ca)).to.equal('CA O=Example, CN=root');
  });

  it('name a certificate without a subject by its fingerprint', async () => {
    const { pem } = await madeCertificates.authority({ subject: '', extensions: [] });
    const certificate = new X509Certificate(pem);
    expect(subjectText(certificate)).to.equal(shortHash(certificate));
  });
});
