import { createPrivateKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { crossSign, issueCa, type IssuedPair, issueLeaf, type KeyAlgorithm } from '../../src/certificates/issue.ts';
import { splitPem } from '../../src/certificates/pem.ts';
import { verifyPair } from '../../src/certificates/verify-pair.ts';
import { handshakeError } from '../support/handshake-error.ts';
import { openssl, pki } from '../support/pki.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const dayMs = 86_400_000;
const servername = 'svc.ns.svc';

interface Served {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Asks all three that judge: our own check, a handshake of Node's TLS, and openssl at its strictest. */
const verdicts = async ({ certificatePem, keyPem }: Served, trust: string) => {
  const files = pki.mounted(certificatePem, keyPem, trust);
  const ours = verifyPair(files, {
    hash: files.hash,
    generation: '',
    names: pki.names,
    nowMs: Date.now(),
    external: false,
  });
  const handshake = await handshakeError({ ...files, servername });

  await using directory = await temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  await Promise.all([writeFile(at('tls.crt'), certificatePem), writeFile(at('ca.crt'), trust)]);
  const strict = await openssl(
    ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', servername, '-no-CApath', '-no-CAstore'],
    ...['-CAfile', at('ca.crt'), '-untrusted', at('tls.crt'), at('tls.crt')],
  ).then(
    () => true,
    () => false,
  );
  return { ours: ours.ok ? 'ok' : ours.reason, node: handshake ?? 'ok', openssl: strict ? 'ok' : 'refused' };
};

const everybody = { ours: 'ok', node: 'ok', openssl: 'ok' };

const rotation = async (older: IssuedPair, newer: IssuedPair, algorithm: KeyAlgorithm) => {
  const order = { names: pki.names, algorithm, nowMs: Date.now(), validityMs: dayMs };
  const [oldLeaf, newLeaf, bridge] = await Promise.all([
    issueLeaf({ ...order, authority: older }),
    issueLeaf({ ...order, authority: newer }),
    crossSign({ older, newer, nowMs: Date.now() }),
  ]);
  return {
    oldLeaf,
    newLeaf,
    bridged: { ...newLeaf, certificatePem: newLeaf.certificatePem + (bridge ?? '') },
    old: older.certificatePem,
    widened: older.certificatePem + newer.certificatePem,
    narrowed: newer.certificatePem,
  };
};

const itVerifiesThroughout = async (older: IssuedPair, newer: IssuedPair, algorithm: KeyAlgorithm) => {
  const { oldLeaf, newLeaf, bridged, old, widened, narrowed } = await rotation(older, newer, algorithm);

  expect(await verdicts(oldLeaf, old), 'old leaf, old bundle').to.deep.equal(everybody);
  expect(await verdicts(oldLeaf, widened), 'old leaf, widened bundle').to.deep.equal(everybody);
  expect(await verdicts(bridged, old), 'new leaf, old bundle').to.deep.equal(everybody);
  expect(await verdicts(bridged, widened), 'new leaf, widened bundle').to.deep.equal(everybody);
  expect(await verdicts(bridged, narrowed), 'new leaf, narrowed bundle').to.deep.equal(everybody);

  // What would have failed, so that the five above mean something.
  for (const [served, trust] of [
    [newLeaf, old],
    [oldLeaf, narrowed],
  ] as const) {
    expect(await verdicts(served, trust)).to.deep.include({ ours: 'untrusted-chain', openssl: 'refused' });
    expect((await verdicts(served, trust)).node).not.to.equal('ok');
  }
};

/** As KubeTemplater's Go code writes it: RSA-2048 in PKCS#1. */
const existingAuthority = async (): Promise<IssuedPair> => {
  await using directory = await temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  await openssl('genrsa', '-traditional', '-out', at('ca.key'), '2048');
  await openssl(
    ...['req', '-x509', '-key', at('ca.key'), '-days', '30', '-subj', '/O=KubeTemplater/CN=KubeTemplater CA'],
    ...['-addext', 'keyUsage=critical,keyCertSign,digitalSignature', '-out', at('ca.crt')],
  );
  return { certificatePem: await readFile(at('ca.crt'), 'utf8'), keyPem: await readFile(at('ca.key'), 'utf8') };
};

describe('every leaf verifies against every bundle of its rotation (law L8)', function () {
  // RSA-4096 keys take up to 3.5 s each on one core.
  this.timeout(120_000);

  const ring: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'];
  ring.forEach((algorithm, index) => {
    const next = ring[(index + 1) % ring.length] ?? algorithm;

    it(`from an authority of ${algorithm} to one of ${next}`, async () => {
      const [older, newer] = await Promise.all(
        [algorithm, next].map((each) =>
          issueCa({ algorithm: each, subject: 'CA', nowMs: Date.now(), validityMs: 9 * dayMs }),
        ),
      );
      await itVerifiesThroughout(older!, newer!, algorithm);
    });
  });

  it('from an existing authority with a PKCS#1 key', async () => {
    const older = await existingAuthority();
    expect(splitPem(older.keyPem).map(({ label }) => label)).to.deep.equal(['RSA PRIVATE KEY']);

    await itVerifiesThroughout(older, await pki.authority(), 'ecdsa-p256');
  });

  it('from an authority with a SEC1 key', async () => {
    const older = await pki.authority();
    const sec1 = createPrivateKey(older.keyPem).export({ type: 'sec1', format: 'pem' });

    await itVerifiesThroughout({ ...older, keyPem: sec1 }, await pki.authority(), 'ecdsa-p256');
  });

  it('over two bridges, when a second rotation begins before the first authority is forgotten', async () => {
    const nowMs = Date.now();
    const [first, second, third] = await Promise.all([pki.authority(), pki.authority(), pki.authority()]);
    const [leaf, upper, lower] = await Promise.all([
      issueLeaf({ authority: third, names: pki.names, algorithm: 'ecdsa-p256', nowMs, validityMs: dayMs }),
      crossSign({ older: first, newer: second, nowMs }),
      crossSign({ older: second, newer: third, nowMs }),
    ]);
    const served = { ...leaf, certificatePem: `${leaf.certificatePem}${lower ?? ''}${upper ?? ''}` };

    for (const { certificatePem } of [first, second, third]) {
      expect(await verdicts(served, certificatePem)).to.deep.equal(everybody);
    }
  });
});
