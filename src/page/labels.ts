const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** A span of time as people say it, two units at most: `32 ms`, `4.1 s`, `1 min 12 s`, `364 d`. */
export const formatDuration = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  const [unit, size] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? UNITS[2];
  const whole = Math.floor(ms / size);
  if (unit === 'd' && whole >= 10) return `${whole} d`;
  const [smaller, smallerMs] = unit === 'd' ? UNITS[1] : unit === 'h' ? UNITS[2] : (['s', 1_000] as const);
  const rest = Math.floor((ms % size) / smallerMs);
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller}`;
};

/** The leader's steps in words. */
const STEP_WORDS: Readonly<Record<string, string>> = {
  'issue-ca': 'make a certificate authority',
  'extend-ca-bundle': 'complete the trust bundle',
  inject: 'write the caBundle',
  'issue-leaf': 'issue a certificate',
  announce: 'announce the certificate',
  'record-served': 'note that every replica serves it',
  'set-rotation-request': 'answer the request for a rotation',
  'prune-ca-bundle': 'drop the older authority',
  'update-secret-ca': 'publish the trust bundle',
  'await-acknowledgements': 'wait until every replica serves it',
  'hold-overlap': 'hold the overlap of both authorities',
};

export const stepText = (step: string | null): string => (step === null ? 'nothing to do' : (STEP_WORDS[step] ?? step));

/** What each thing that is waited for is called on the page. */
const WAIT_WORDS: Readonly<Record<string, string>> = {
  announcement: 'an announcement on the Lease',
  mount: 'the kubelet to mount the announced certificate',
  'usable-certificate': 'a certificate that can be used',
  'trusted-handshake': 'a handshake that verifies',
  'valid-certificate': 'a certificate that is valid now',
  write: 'a write to the cluster to succeed',
  acknowledgements: 'every replica to serve the new certificate',
  overlap: 'the overlap of old and new authority to pass',
};

export const waitText = (wait: string): string => WAIT_WORDS[wait] ?? wait;
