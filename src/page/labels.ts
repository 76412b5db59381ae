const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** Formats a duration with at most two units: `32 ms`, `4.1 s`, `1 min 12 s`, `364 d`. */
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

/** Labels of the leader's steps. */
const STEP_LABELS: Readonly<Record<string, string>> = {
  'issue-ca': 'issue a CA',
  'extend-ca-bundle': 'add missing CAs to the trust bundle',
  inject: 'write a caBundle',
  'issue-leaf': 'issue a certificate',
  'copy-secret': 'copy the certificate from the source',
  announce: 'announce the certificate',
  'record-served': 'record that every replica serves it',
  'record-trusted': 'record that every caBundle trusts the CA',
  'set-rotation-request': 'update the rotation request',
  'prune-ca-bundle': 'remove the older CA from the trust bundle',
  'update-secret-ca': 'update ca.crt of the Secret',
  'await-acknowledgements': 'wait until every replica serves the certificate',
  'settle-trust': 'give every API server time to take up the caBundles',
  'hold-overlap': 'wait for the end of the CA overlap',
};

export const stepText = (step: string | null): string =>
  step === null ? 'nothing to do' : (STEP_LABELS[step] ?? step);

/** Labels of what a replica waits for. */
const WAIT_LABELS: Readonly<Record<string, string>> = {
  announcement: 'an announcement on the Lease',
  mount: 'the kubelet to mount the announced certificate',
  'usable-certificate': 'a usable certificate',
  'trusted-handshake': 'a verified handshake',
  'valid-certificate': 'a currently valid certificate',
  neighbour: 'the server beside it to show the announced certificate',
  source: 'a usable certificate in SOURCE_SECRET',
  write: 'a write to the API server to succeed',
  acknowledgements: 'every replica to serve the new certificate',
  trust: 'every API server to take up the caBundles',
  overlap: 'the overlap of the old and the new CA to end',
};

export const waitText = (wait: string): string => WAIT_LABELS[wait] ?? wait;

/** The words of the page that a reader may not know, in the order in which they appear. */
export const glossary: readonly (readonly [word: string, meaning: string])[] = [
  ['Announced', 'The leader has written the hash of this certificate on the Lease: every replica is to serve it.'],
  ['Mounted', 'The kubelet has delivered this certificate from the Secret to the Pod.'],
  ['Served', 'The webhook presents this certificate to its callers, and a handshake with it has been verified.'],
  ['Acknowledged', 'The annotation on the Pod tells the leader that this certificate is served.'],
  ['Lease', 'The object over which the replicas elect a leader, and on which it announces certificates.'],
  ['caBundle', 'The CAs that the API server trusts when it calls the webhook; a field of the webhook configuration.'],
  ['Overlap', 'The time in which the older and the newer CA are both trusted, after every replica has acknowledged.'],
  ['Handshake', 'A connection of the replica with itself, verified as the API server would verify it.'],
];

export const meaningOf = (word: string): string => glossary.find(([each]) => each === word)?.[1] ?? '';
