/** The leader's steps in words. */
const WORDS: Readonly<Record<string, string>> = {
  'issue-authority': 'make a certificate authority',
  'adopt-authority': 'complete the trust bundle',
  inject: 'write the caBundle',
  'issue-leaf': 'issue a certificate',
  announce: 'announce the certificate',
  'mark-served': 'note that every replica serves it',
  'ask-rotation': 'answer the request for a rotation',
  'narrow-authority': 'drop the older authority',
  'publish-trust': 'publish the trust bundle',
  'await-acknowledgements': 'wait until every replica serves it',
  'hold-overlap': 'hold the overlap of both authorities',
};

export const stepText = (step: string | null): string => (step === null ? 'nothing to do' : (WORDS[step] ?? step));
