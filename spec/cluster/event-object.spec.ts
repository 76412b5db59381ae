import { expect } from 'chai';
import { eventObject } from '../../src/cluster/event-recorder.ts';

const told = {
  about: { apiVersion: 'v1', kind: 'Pod', name: 'p', namespace: 'n', uid: null },
  type: 'Warning',
  reason: 'CertificateRejected',
  key: '',
  component: 'webhook-certd',
  instance: 'p',
  nowMs: 0,
} as const;

describe('an Event', () => {
  it('repeats nothing that looks like a secret, wherever it is in the message', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n';
    for (const message of [pem, `Rejected: ${pem}`, `Rejected: ${Buffer.from(pem).toString('base64')}`]) {
      expect(eventObject({ ...told, message }).message).to.equal('[redacted]');
    }
    expect(eventObject({ ...told, message: 'Rejected: expired' }).message).to.equal('Rejected: expired');
  });
});
