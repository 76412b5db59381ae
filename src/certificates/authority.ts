/**
 * Everything that needs the X.509 library, behind one door: `await import('./certificates/authority.ts')` costs 24 MB
 * and 90 ms, which only a leader that must issue should pay. Nothing that followers load may import it statically.
 */
export { authorityFacts } from './authority-facts.ts';
export { issueAuthority } from './issue-authority.ts';
export { issueBridge } from './issue-bridge.ts';
export { issueLeaf } from './issue-leaf.ts';
export type { IssuedPair } from './issued.ts';
export type { KeyAlgorithm } from './key-algorithm.ts';
