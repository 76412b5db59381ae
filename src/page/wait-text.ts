/** What each thing that is waited for is called on the page. */
const WORDS: Readonly<Record<string, string>> = {
  announcement: 'an announcement on the Lease',
  mount: 'the kubelet to mount the announced certificate',
  'usable-certificate': 'a certificate that can be used',
  'trusted-handshake': 'a handshake that verifies',
  'valid-certificate': 'a certificate that is valid now',
  write: 'a write to the cluster to succeed',
  acknowledgements: 'every replica to serve the new certificate',
  overlap: 'the overlap of old and new authority to pass',
};

export const waitText = (wait: string): string => WORDS[wait] ?? wait;
