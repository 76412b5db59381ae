import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { createLogger } from '../../src/logging/logger.ts';
import { looksSecret } from '../../src/util/redact.ts';

const body = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg';
const pem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
const jwt = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl';

const written = (format: 'json' | 'pretty', message: string, fields: Record<string, unknown>): string => {
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  createLogger({ level: 'info', format, write, colours: true }).error(message, fields);
  return lines.join('\n');
};

describe('the net for secrets', () => {
  const secrets: readonly (readonly [string, unknown])[] = [
    ['PEM', pem],
    ['PEM inside other text', `could not read ${pem}`],
    ['PEM in base64, as a Secret carries it', Buffer.from(pem).toString('base64')],
    ['PEM as bytes', Buffer.from(pem)],
    ['PEM as an array of bytes', new Uint8Array(Buffer.from(pem))],
    ['PEM deep in an object', { list: [{ key: pem }] }],
    ['PEM as a key', { [pem]: 1 }],
    ['PEM in an error', new Error(`bad ${pem}`)],
    ['PEM in the cause of an error', new Error('bad', { cause: new Error(pem) })],
    ['a token', jwt],
    ['a token in a header', { headers: { authorization: `Bearer ${jwt}` } }],
    ['a bearer that is no JWT', `Authorization: bearer ${'k3'.repeat(20)}`],
  ];

  for (const format of ['json', 'pretty'] as const) {
    for (const [what, secret] of secrets) {
      it(`lets no ${what} into a ${format} line`, () => {
        const line = written(format, 'm', { before: 1, secret, after: 2 });
        expect(line).to.match(/\[redacted\]|bytes\]/);
        for (const leak of [
          body,
          jwt,
          'BEGIN',
          'k3k3',
          Buffer.from(body).toString('base64').slice(0, 20),
          '45,45,45',
        ]) {
          expect(line).to.not.include(leak);
        }
        expect(line).to.include('before').and.to.include('after');
      });
    }

    it(`guards the message of a ${format} line too`, () => {
      expect(written(format, pem, {}))
        .to.include('[redacted]')
        .and.to.not.include(body);
    });
  }

  const keys: readonly (readonly [string, KeyObject])[] = [
    ...([2048, 3072] as const).map(
      (modulusLength) => [`RSA ${modulusLength}`, generateKeyPairSync('rsa', { modulusLength }).privateKey] as const,
    ),
    ...(['P-256', 'P-384', 'P-521'] as const).map(
      (namedCurve) => [namedCurve, generateKeyPairSync('ec', { namedCurve }).privateKey] as const,
    ),
    ['Ed25519', generateKeyPairSync('ed25519').privateKey],
  ];
  for (const [name, key] of keys) {
    it(`knows a private key of ${name} without its armour, and wherever it stands in base64`, () => {
      const armoured = key.export({ type: 'pkcs8', format: 'pem' });
      const bare = [key.export({ type: 'pkcs8', format: 'der' })];
      if (name.startsWith('RSA')) bare.push(key.export({ type: 'pkcs1', format: 'der' }));
      if (/P-(?:256|384)/.test(name)) bare.push(key.export({ type: 'sec1', format: 'der' }));
      for (const der of bare) expect(looksSecret(der.toString('base64')), name).to.equal(true);
      for (const before of ['', 'a', 'ab'])
        expect(looksSecret(Buffer.from(before + armoured).toString('base64')), `after ${before.length}`).to.equal(true);
      expect(looksSecret(JSON.stringify({ armoured }))).to.equal(true);
      expect(looksSecret(armoured.replaceAll('\n', ' '))).to.equal(true);
    });
  }

  it('leaves hashes, serials, names and talk of bearers alone', () => {
    const fields = {
      hash: 'a1'.repeat(32),
      serial: '7F3A99',
      reason: 'bearer authentication is required',
      url: 'https://10.0.0.1:443/apis/coordination.k8s.io/v1/namespaces/ns/leases?watch=1&resourceVersion=12',
    };
    const line = written('json', 'm', fields);
    expect(JSON.parse(line)).to.deep.include(fields);
  });
});
