import { expect } from 'chai';
import { issuanceWaitsFor, planIssuance } from '../../streams/plan-issuance.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { stepInWords } from '../support/step-in-words.ts';

interface Row extends Sketch {
  readonly when: string;
  /** The next write, in the words of stepInWords. */
  readonly then: string;
}

/** A quiet cluster that serves this leaf under its CA and nothing else. */
const served = (leaf: string): Sketch => {
  const ca = leaf.slice(0, 1).toUpperCase();
  return { ca, secret: `${leaf}:${ca}`, targets: [ca], said: leaf, pods: leaf };
};

/** The overlap: this leaf is announced and served, and the CA before its own is still trusted everywhere. */
const wide = (leaf: string): Sketch => {
  const ca = leaf.slice(0, 1).toUpperCase();
  const bundle = `${ca}+${String.fromCharCode(ca.charCodeAt(0) - 1)}`;
  return { ca: bundle, secret: `${leaf}:${bundle}`, targets: [bundle], said: leaf, pods: leaf };
};

/** Every state of law L1, in order. `ca`, `secret`, `targets`… are explained at Sketch in support/cluster-of.ts. */
// prettier-ignore
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'the first start': [
    { when: 'there is nothing', targets: ['0'], pods: '-', then: 'new CA, missing, keep nothing' },
    { when: 'there is a CA', ca: 'A', targets: ['0'], then: 'target-0: A' },
    { when: 'one target trusts it', ca: 'A', targets: ['A', '0'], then: 'target-1: A' },
    { when: 'one field of a target does', ca: 'A', targets: ['A|0'], then: 'target-0: A' },
    { when: 'every target trusts it', ca: 'A', targets: ['A', 'A|A'], then: 'new leaf, missing' },
    { when: 'the Secret is there without a leaf', ca: 'A', secret: 'no leaf', targets: ['A'], then: 'new leaf, missing' },
    { when: 'the leaf stands in the Secret', ca: 'A', secret: 'a1:A', targets: ['A'], then: 'announce a1' },
    { when: 'it is announced', ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', then: 'nothing' },
    { when: 'it is served', ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1', then: 'nothing' },
    { when: 'there are no targets', ca: 'A', secret: 'a1:A', targets: [], said: 'a1', pods: 'a1', then: 'nothing' },
  ],

  'a CA of somebody else': [
    { when: 'it cannot sign', ca: 'foreign', targets: ['0'], then: 'nothing' },
    { when: 'it can sign', ca: 'own A', targets: ['0'], then: 'target-0: A' },
    { when: 'it ends', ...served('a1'), ca: 'own A', daysLeft: { A: 100 }, then: 'nothing' },
    { when: 'it ends and ours is asked for', ...served('a1'), ca: 'own A', daysLeft: { A: 100 }, rotate: 'ca/A', then: 'new CA, requested, keep A' },
  ],

  'a leaf is renewed': [
    { when: '31 days are left', ...served('a1'), daysLeft: { a1: 31 }, then: 'nothing' },
    { when: '30 days are left', ...served('a1'), daysLeft: { a1: 30 }, then: 'new leaf, expiring' },
    { when: 'it has expired', ...served('a1'), daysLeft: { a1: -1 }, then: 'new leaf, expiring' },
    { when: 'a name is missing in it', ...served('a1'), secret: 'a1:A nameless', then: 'new leaf, names' },
    { when: 'it cannot be used', ...served('a1'), secret: 'a1:A broken', then: 'new leaf, unusable' },
    { when: 'the new one is written', ...served('a1'), secret: 'a2:A', then: 'announce a2' },
    { when: 'the new one is announced', ...served('a1'), secret: 'a2:A', said: 'a2', then: 'nothing' },
    { when: 'it is served by all', ...served('a2'), then: 'nothing' },
  ],

  'a leaf is asked for': [
    { when: 'somebody asks', ...served('a1'), rotate: 'leaf', then: 'new leaf, requested' },
    { when: 'it is written', ...served('a1'), secret: 'a2:A', rotate: 'leaf', then: 'announce a2, request fulfilled' },
    { when: 'it is announced', ...served('a1'), secret: 'a2:A', said: 'a2', then: 'nothing' },
    { when: 'nothing was announced yet', ca: 'A', secret: 'a1:A', targets: ['A'], rotate: 'leaf', then: 'announce a1, request fulfilled' },
  ],

  'a CA is replaced because it ends': [
    { when: '366 days are left', ...served('a1'), daysLeft: { A: 366 }, then: 'nothing' },
    { when: '365 days are left', ...served('a1'), daysLeft: { A: 365 }, then: 'new CA, expiring, keep A' },
    { when: 'the last leaf is not announced yet', ...served('a1'), secret: 'a2:A', daysLeft: { A: 365 }, then: 'announce a2' },
    { when: 'it has expired', ...served('a1'), daysLeft: { A: -1, a1: -1 }, then: 'new CA, expiring, keep nothing' },
    { when: 'it ends in this millisecond and its leaf was not announced', ...served('a1'), secret: 'a2:A', daysLeft: { A: 0, a2: -1 }, then: 'new CA, expiring, keep nothing' },
    { when: 'it has expired and its leaf was not announced', ...served('a1'), secret: 'a2:A', daysLeft: { A: -1, a2: -1 }, then: 'new CA, expiring, keep nothing' },
    { when: 'it is due and was never in a bundle', ...served('a1'), ca: 'A:', daysLeft: { A: 365 }, then: 'bundle: keep nothing' },
  ],

  'a CA is asked for': [
    { when: 'somebody asks', ...served('a1'), rotate: 'ca', then: 'request is ca/A' },
    { when: 'the request names what it replaces', ...served('a1'), rotate: 'ca/A', then: 'new CA, requested, keep A' },
    { when: 'a leaf is still to be announced', ...served('a1'), secret: 'a2:A', rotate: 'ca/A', then: 'announce a2' },
    { when: 'SECRET-ca is written', ...served('a1'), ca: 'B+A', rotate: 'ca/A', then: 'target-0: B+A' },
    { when: 'one target is widened', ...served('a1'), ca: 'B+A', targets: ['B+A', 'A'], rotate: 'ca/A', then: 'target-1: B+A' },
    { when: 'all targets are widened', ...served('a1'), ca: 'B+A', targets: ['B+A', 'A+B'], rotate: 'ca/A', then: 'new leaf, other-ca' },
    { when: 'the Secret is written', ...served('a1'), ...wide('b1'), said: 'a1', pods: 'a1', rotate: 'ca/A', then: 'announce b1, request fulfilled' },
    { when: 'it was announced once before, so that acknowledgements of it are old', ...wide('b1'), said: 'a1', pods: 'a1 b1', then: 'new leaf, acknowledged-before' },
    { when: 'it is announced', ...wide('b1'), pods: 'a1 a1', then: 'nothing' },
    { when: 'one replica of two serves it', ...wide('b1'), pods: 'b1 a1', then: 'nothing' },
    { when: 'both serve it', ...wide('b1'), pods: 'b1 b1', then: 'served everywhere' },
    { when: 'it has been marked', ...wide('b1'), servedMinutes: 0, then: 'nothing' },
    { when: 'the overlap is nearly over', ...wide('b1'), servedMinutes: 59, then: 'nothing' },
    { when: 'a replica appears that serves nothing yet', ...wide('b1'), pods: 'b1 -', servedMinutes: 59, then: 'not served any more' },
    { when: 'the clock was set back', ...wide('b1'), servedMinutes: -5, then: 'served everywhere' },
    { when: 'the overlap is over', ...wide('b1'), servedMinutes: 60, then: 'narrow: keep nothing' },
    { when: 'SECRET-ca is narrowed', ...wide('b1'), ca: 'B', servedMinutes: 60, then: 'target-0: B' },
    { when: 'the targets are narrowed', ...wide('b1'), ca: 'B', targets: ['B'], servedMinutes: 60, then: 'Secret trusts B' },
    { when: 'the Secret is narrowed', ...served('b1'), servedMinutes: 60, then: 'not served any more' },
    { when: 'all is done', ...served('b1'), then: 'nothing' },
  ],

  'a request that has been answered': [
    { when: 'it is still there though its CA is gone', ...served('b1'), rotate: 'ca/A', then: 'drop the request' },
    { when: 'its new CA stands but its leaf waits for a target', ...served('a1'), ca: 'B+A', targets: ['!'], secret: 'a1:B+A', rotate: 'ca/A', then: 'nothing' },
    { when: 'the old leaf is put back meanwhile', ...served('a1'), ca: 'B+A', targets: ['!'], secret: 'a2:B+A', rotate: 'ca/A', then: 'announce a2' },
    { when: 'a leaf is asked for meanwhile', ...served('a1'), ca: 'B+A', targets: ['!'], secret: 'a2:B+A', rotate: 'leaf', then: 'announce a2' },
    { when: 'it is a word that nobody knows', ...served('a1'), rotate: 'everything', then: 'drop the request' },
    { when: 'it is no word at all', ...served('a1'), rotate: '', then: 'drop the request' },
    { when: 'it names a CA that never was', ...served('a1'), rotate: 'ca/nonsense', then: 'drop the request' },
    { when: 'a CA is asked for again during the overlap', ...wide('b1'), rotate: 'ca', then: 'request is ca/B' },
    { when: 'that one begins', ...wide('b1'), rotate: 'ca/B', then: 'new CA, requested, keep B+A' },
  ],

  'a CA that was there before us': [
    { when: 'it has no bundle', ...served('a1'), ca: 'A:', then: 'bundle: keep nothing' },
    { when: 'the bundle lacks it', ...served('a1'), ca: 'A:', targets: ['A', '0'], then: 'bundle: keep nothing' },
    { when: 'replicas serve under another CA', ...served('x1'), ca: 'A:', then: 'bundle: keep X' },
    { when: 'that one was never announced', ca: 'A:', secret: 'x1:X', targets: ['X'], then: 'bundle: keep X' },
    { when: 'something else is announced', ca: 'A', secret: 'x1:X', targets: ['A'], said: 'a1', then: 'new leaf, other-ca' },
    { when: 'that one has expired', ...served('x1'), ca: 'A', daysLeft: { X: -1, x1: -1 }, then: 'target-0: A' },
    { when: 'SECRET-ca is put back to the time before a rotation', ...served('b1'), ca: 'A', then: 'bundle: keep B' },
    { when: 'SECRET-ca and the Secret are put back to the time before a rotation', ...served('b1'), ca: 'A', secret: 'a1:A', then: 'bundle: keep B' },
    { when: 'SECRET-ca is put back in an overlap to the time before it', ...wide('b1'), ca: 'B', pods: 'b1 a1', then: 'bundle: keep A' },
    { when: 'SECRET-ca is put back while the overlap is held', ...wide('b1'), ca: 'B', servedMinutes: 59, then: 'bundle: keep A' },
    { when: 'whether it was put back cannot be told yet', ...wide('b1'), ca: 'B', pods: '?', servedMinutes: 60, then: 'nothing' },
    { when: 'its Secret is taken over', ...served('a1'), then: 'nothing' },
  ],

  'what is deleted': [
    { when: 'the Secret', ...served('a1'), secret: '-', then: 'new leaf, missing' },
    { when: 'the Secret during an overlap', ...wide('b1'), secret: '-', then: 'new leaf, missing' },
    { when: 'SECRET-ca', ...served('a1'), ca: '-', then: 'new CA, missing, keep A' },
    { when: 'SECRET-ca, and the targets trust more than the Secret', ...served('b1'), ca: '-', targets: ['B+A', 'B|X'], then: 'new CA, missing, keep B+A+X' },
    { when: 'SECRET-ca, and a target cannot be read', ...served('a1'), ca: '-', targets: ['!', '-'], then: 'new CA, missing, keep A' },
    { when: 'SECRET-ca while its replacement is asked for', ...served('a1'), ca: '-', rotate: 'ca/A', then: 'new CA, missing, keep A' },
    { when: 'both Secrets', ...served('a1'), ca: '-', secret: '-', then: 'new CA, missing, keep A' },
    { when: 'both Secrets, and an old CA has expired', ...served('a1'), ca: '-', secret: '-', targets: ['A+E'], daysLeft: { E: -1 }, then: 'new CA, missing, keep A' },
    { when: 'the key of the CA', ...served('a1'), ca: '/A', then: 'new CA, unusable, keep A' },
    { when: 'the key of a CA that only SECRET-ca names', ca: '/A', then: 'new CA, unusable, keep A' },
    { when: 'the key of the CA during an overlap', ...wide('b1'), ca: '/B+A', then: 'new CA, unusable, keep B+A' },
    { when: 'a target', ...served('a1'), targets: ['-'], then: 'nothing' },
    { when: 'the announcement', ca: 'A', secret: 'a1:A', targets: ['A'], pods: 'a1', then: 'announce a1' },
    { when: 'a caBundle', ...served('a1'), targets: ['0'], then: 'target-0: A' },
  ],

  'what is deleted while targets say more than SECRET-ca': [
    { when: 'the Secret', ...served('a1'), secret: '-', targets: ['A+X'], then: 'bundle: keep X' },
    { when: 'nothing', ...served('a1'), targets: ['A+X'], then: 'target-0: A' },
  ],

  'an older CA that ends': [
    { when: 'it has a day left', ...wide('b1'), pods: '!', daysLeft: { A: 1 }, then: 'nothing' },
    { when: 'it has expired', ...wide('b1'), pods: '!', daysLeft: { A: 0 }, then: 'bundle: keep nothing' },
    { when: 'another one lives on', ...wide('c1'), ca: 'C+B+A', pods: '!', daysLeft: { A: 0 }, then: 'bundle: keep B' },
    { when: 'the bundle is without it', ...wide('b1'), ca: 'B', pods: '!', daysLeft: { A: 0 }, then: 'target-0: B' },
  ],

  'a target that somebody else rewrites': [
    { when: 'its repair is held back', ...served('a1'), targets: ['X held'], then: 'nothing' },
    { when: 'another one is to be written', ...served('a1'), targets: ['X held', '0'], then: 'target-1: A' },
    { when: 'it does not trust the new CA', ...served('a1'), ca: 'B+A', secret: 'a1:B+A', targets: ['A held', 'B+A'], then: 'nothing' },
    { when: 'it does by chance', ...served('a1'), ca: 'B+A', targets: ['B held', 'B+A'], then: 'new leaf, other-ca' },
    { when: 'the leaf is renewed under the same CA', ...served('a1'), targets: ['X held'], daysLeft: { a1: 1 }, then: 'new leaf, expiring' },
    { when: 'it trusts none of ours, so has nothing to lose by a new CA', ...served('a1'), ca: 'B+A', secret: 'a1:B+A', targets: ['X held', 'B+A'], then: 'new leaf, other-ca' },
    { when: 'it trusts none of ours, so has nothing to lose by a new leaf', ...served('a1'), secret: 'a2:A', targets: ['X held', 'A'], then: 'announce a2' },
    { when: 'it trusts only the CA that goes', ...served('a1'), ca: 'B+A', secret: 'b1:B+A', targets: ['A held', 'B+A'], then: 'nothing' },
    { when: 'the old leaf has expired', ...served('a1'), ca: 'B+A', targets: ['A held'], daysLeft: { a1: 0 }, then: 'new leaf, other-ca' },
    { when: 'the old leaf cannot be used', ...served('a1'), ca: 'B+A', secret: 'a1:A broken', targets: ['A held'], then: 'new leaf, unusable' },
    { when: 'the rotation goes on around it', ...wide('b1'), targets: ['X held'], servedMinutes: 60, then: 'narrow: keep nothing' },
  ],

  'what cannot be seen': [
    { when: 'the Secret is not known yet', ...served('a1'), secret: '?', then: 'nothing' },
    { when: 'the Secret cannot be read', ...served('a1'), secret: '!', then: 'nothing' },
    { when: 'SECRET-ca is not known yet', ...served('a1'), ca: '?', then: 'nothing' },
    { when: 'SECRET-ca cannot be read', ...served('a1'), ca: '!', then: 'nothing' },
    { when: 'a target is not known yet', ...served('a1'), targets: ['0', '?'], then: 'nothing' },
    { when: 'SECRET-ca is lost, and the Secret is not known yet', ...served('a1'), ca: '-', secret: '?', then: 'nothing' },
    { when: 'SECRET-ca is lost, and the Secret cannot be read', ...served('a1'), ca: '-', secret: '!', then: 'nothing' },
    { when: 'SECRET-ca is lost, and a target is not known yet', ...served('a1'), ca: '-', targets: ['0', '?'], then: 'nothing' },
    { when: 'a target cannot be read', ...served('a1'), targets: ['!', '0'], then: 'target-1: A' },
    { when: 'a target cannot be read and the CA changes', ...served('a1'), ca: 'B+A', secret: 'a1:B+A', targets: ['!', 'B+A'], then: 'nothing' },
    { when: 'a target is not there and the CA changes', ...served('a1'), ca: 'B+A', targets: ['-', 'B+A'], then: 'new leaf, other-ca' },
    { when: 'a target has no such field and the CA changes', ...served('a1'), ca: 'B+A', targets: ['no field'], then: 'new leaf, other-ca' },
    { when: 'the replicas are not known yet', ...wide('b1'), pods: '?', servedMinutes: 600, then: 'nothing' },
    { when: 'the replicas may not be read', ...wide('b1'), pods: '!', then: 'nothing' },
    { when: 'the replicas may not be read any more', ...wide('b1'), pods: '!', servedMinutes: 600, then: 'not served any more' },
  ],

  'whose acknowledgement counts': [
    { when: 'one has not said, since it starts', ...wide('b1'), pods: 'b1 -', then: 'nothing' },
    { when: 'one is about to be gone and serves the old one', ...wide('b1'), pods: 'b1 a1+', then: 'nothing' },
    { when: 'this replica is not among them', ...wide('b1'), pods: '-', then: 'nothing' },
  ],

  'a Secret of somebody else': [
    { when: 'its leaf is ours, its trust is not', ...served('a1'), secret: 'a2:A+X', targets: ['A'], then: 'announce a2' },
    { when: 'its issuer is nobody we trust', ...served('a1'), secret: 'x1:X', targets: ['!'], then: 'Secret trusts A' },
    { when: 'its issuer is not even in it', ...served('a1'), secret: 'x1:A', targets: ['!'], then: 'nothing' },
    { when: 'it can be replaced', ...served('a1'), secret: 'x1:X', then: 'new leaf, other-ca' },
    { when: 'its trust was edited', ...served('a1'), secret: 'a1:A+X', then: 'Secret trusts A' },
    { when: 'it must not be replaced', ...served('a1'), secret: 'x1:X foreign', then: 'nothing' },
    { when: 'it must not be replaced, and SECRET-ca has lost a CA', ca: 'B', secret: 'x1:X foreign', targets: ['B+A'], then: 'bundle: keep X+A' },
    { when: 'it must not be replaced and has expired', ca: 'A', secret: 'a1:A foreign', daysLeft: { a1: -1 }, targets: ['A'], then: 'nothing' },
    { when: 'it must not be replaced and there is no CA', secret: 'x1:X foreign', targets: ['X'], then: 'nothing' },
    { when: 'it must not be replaced and a target has drifted', ...served('a1'), secret: 'x1:X foreign', targets: ['0'], then: 'target-0: A' },
    { when: 'it must not be replaced and its trust differs', ...served('a1'), secret: 'a1:A+X foreign', then: 'nothing' },
  ],

  'a target refuses its write (L9)': [
    { when: 'nothing exists', targets: ['0 refused', '0'], then: 'new CA, missing, keep nothing' },
    { when: 'there is a CA', ca: 'A', targets: ['0 refused', '0'], then: 'target-1: A' },
    { when: 'the others trust it', ca: 'A', targets: ['0 refused', 'A'], then: 'new leaf, missing' },
    { when: 'the leaf is written', ca: 'A', secret: 'a1:A', targets: ['0 refused', 'A'], then: 'announce a1' },
    { when: 'the leaf expires', ...served('a1'), targets: ['A+X refused'], daysLeft: { a1: 30 }, then: 'new leaf, expiring' },
    { when: 'the renewed leaf is written', ...served('a1'), secret: 'a2:A', targets: ['A+X refused'], then: 'announce a2' },
    { when: 'its CA is asked for', ...served('a1'), targets: ['A+X refused'], rotate: 'ca/A', then: 'nothing' },
    { when: 'its CA is due', ...served('a1'), targets: ['A+X refused'], daysLeft: { A: 365 }, then: 'nothing' },
    { when: 'the CA is due and it trusts none of ours', ...served('a1'), targets: ['X refused', 'A'], daysLeft: { A: 365 }, then: 'new CA, expiring, keep A' },
    { when: 'its CA has expired', ...served('a1'), targets: ['A refused'], daysLeft: { A: -1, a1: -1 }, then: 'new CA, expiring, keep nothing' },
    { when: 'it trusts only the CA before', ...served('a1'), ca: 'B+A', targets: ['A refused', 'B+A'], then: 'Secret trusts B+A' },
    { when: 'it trusts only the CA before, whose leaf has expired', ...served('a1'), ca: 'B+A', targets: ['A refused', 'B+A'], daysLeft: { a1: -1 }, then: 'new leaf, other-ca' },
  ],

  'a target cannot be listed (L9)': [
    { when: 'nothing exists', targets: ['~', '0'], then: 'new CA, missing, keep nothing' },
    { when: 'there is a CA', ca: 'A', targets: ['~', '0'], then: 'target-1: A' },
    { when: 'the others trust it', ca: 'A', targets: ['~', 'A'], then: 'new leaf, missing' },
    { when: 'the leaf is written', ca: 'A', secret: 'a1:A', targets: ['~', 'A'], then: 'announce a1' },
    { when: 'another has drifted', ...served('a1'), targets: ['~', '0'], then: 'target-1: A' },
    { when: 'the leaf expires', ...served('a1'), targets: ['~'], daysLeft: { a1: 30 }, then: 'new leaf, expiring' },
    { when: 'the renewed leaf is written', ...served('a1'), secret: 'a2:A', targets: ['~'], then: 'announce a2' },
    { when: 'the CA is asked for', ...served('a1'), targets: ['~'], rotate: 'ca/A', then: 'nothing' },
    { when: 'the CA is due', ...served('a1'), targets: ['~'], daysLeft: { A: 365 }, then: 'nothing' },
    { when: 'the CA has expired', ...served('a1'), targets: ['~'], daysLeft: { A: -1, a1: -1 }, then: 'new CA, expiring, keep nothing' },
    { when: 'the CA has just changed', ...served('a1'), ca: 'B+A', secret: 'a1:B+A', targets: ['~', 'B+A'], then: 'nothing' },
    { when: 'a leaf of the new CA is written', ...served('a1'), ca: 'B+A', secret: 'b1:B+A', targets: ['~', 'B+A'], then: 'nothing' },
    { when: 'a leaf of the CA before is put back', ...served('a1'), ca: 'B+A', secret: 'a2:B+A', targets: ['~', 'B+A'], then: 'announce a2' },
    { when: 'the overlap is over', ...wide('b1'), targets: ['~', 'B+A'], servedMinutes: 60, then: 'narrow: keep nothing' },
    { when: 'all others are narrowed', ...served('b1'), targets: ['~', 'B'], servedMinutes: 60, then: 'nothing' },
    { when: 'SECRET-ca is lost', ...served('a1'), ca: '-', targets: ['~'], then: 'nothing' },
    { when: 'SECRET-ca is lost, and the others know its CA', ...served('a1'), ca: '-', targets: ['A', '~'], then: 'nothing' },
  ],

  'the Secrets or the Lease cannot be written (L9)': [
    { when: 'there is no CA and it cannot be written', paused: 'ca', then: 'nothing' },
    { when: 'SECRET-ca lacks a CA, and a target the CAs', ...wide('b1'), ca: 'B', targets: ['A', '0'], paused: 'ca', then: 'target-0: B+A' },
    { when: 'a CA is due', ...served('a1'), daysLeft: { A: 365, a1: 30 }, paused: 'ca', then: 'new leaf, expiring' },
    { when: 'the CA has expired', ...served('a1'), daysLeft: { A: -1, a1: -1 }, paused: 'ca', then: 'nothing' },
    { when: 'a target has drifted and the leaf is due', ...served('a1'), targets: ['0'], daysLeft: { a1: 30 }, paused: 'secret', then: 'target-0: A' },
    { when: 'the leaf is due and not announced', ...served('a1'), secret: 'a2:A', daysLeft: { a2: 30 }, paused: 'secret', then: 'announce a2' },
    { when: 'the leaf is due and asked for', ...served('a1'), daysLeft: { a1: 30 }, rotate: 'leaf', paused: 'secret', then: 'nothing' },
    { when: 'the leaf lacks a name', ...served('a1'), secret: 'a2:A nameless', paused: 'secret', then: 'nothing' },
    { when: 'the leaf has expired', ...served('a1'), secret: 'a2:A', daysLeft: { a2: -1 }, paused: 'secret', then: 'nothing' },
    { when: 'the leaf is of the CA before and was not announced', ca: 'B+A', secret: 'a2:B+A', targets: ['B+A'], said: 'a1', paused: 'secret', then: 'announce a2' },
    { when: 'the Secret trusts too little', ...wide('b1'), secret: 'b1:B', servedMinutes: 60, paused: 'secret', then: 'narrow: keep nothing' },
    { when: 'the leaf is due', ...served('a1'), rotate: 'please', daysLeft: { a1: 30 }, paused: 'announcement', then: 'new leaf, expiring' },
    { when: 'the Secret trusts too much', ...served('a1'), secret: 'a2:A+X', paused: 'announcement', then: 'Secret trusts A' },
  ],
};

describe('planIssuance', () => {
  const { observed, policy, nowMs } = clusterOf;

  for (const [state, rows] of Object.entries(TABLE)) {
    describe(state, () => {
      for (const { when, then, ...sketch } of rows) {
        it(`plans "${then}" when ${when}`, () => {
          expect(stepInWords(planIssuance(observed(sketch), policy, nowMs))).to.equal(then);
        });
      }
    });
  }

  it('plans the same write again when the leader dies before it, since nothing else decides', () => {
    for (const { when, then, ...sketch } of Object.values(TABLE).flat()) {
      expect(stepInWords(planIssuance(structuredClone(observed(sketch)), { ...policy }, nowMs)), when).to.equal(then);
    }
  });

  it('does not change what it looks at', () => {
    for (const { when, then, ...sketch } of Object.values(TABLE).flat()) {
      const seen = observed(sketch);
      expect(stepInWords(planIssuance(seen, policy, nowMs))).to.equal(then);
      expect(seen, when).to.deep.equal(observed(sketch));
    }
  });

  it('marks the instant at which it sees all replicas serving, by the wall clock', () => {
    expect(planIssuance(observed(wide('b1')), policy, nowMs)).to.deep.equal({ kind: 'record-served', sinceMs: nowMs });
    expect(planIssuance(observed(wide('b1')), policy, nowMs + 7)).to.deep.equal({
      kind: 'record-served',
      sinceMs: nowMs + 7,
    });
  });

  it('stops waiting for a replica an hour after it should be gone, which no clock is wrong by', () => {
    const leaving = observed({ ...wide('b1'), pods: 'b1 a1+' });
    expect(stepInWords(planIssuance(leaving, policy, nowMs + 61 * clusterOf.minuteMs - 1))).to.equal('nothing');
    expect(stepInWords(planIssuance(leaving, policy, nowMs + 61 * clusterOf.minuteMs))).to.equal('served everywhere');
  });

  it('announces the end of the leaf together with its hash, and again when only the end is wrong', () => {
    const seen = observed(served('a1'));
    const lease = { ...seen.lease, announcement: { hash: 'a1', validUntil: 'some other day' } };
    expect(planIssuance({ ...seen, lease }, policy, nowMs)).to.deep.equal({
      kind: 'announce',
      announcement: { hash: 'a1', validUntil: 'the end of a1' },
      clearsRotationRequest: false,
    });
  });

  it('announces again what stands there malformed', () => {
    const seen = observed(served('a1'));
    const lease = { ...seen.lease, announcement: null, malformed: 'cert-hash is missing' };
    expect(stepInWords(planIssuance({ ...seen, lease }, policy, nowMs))).to.equal('announce a1');
  });

  it('hands each write the object it was decided on', () => {
    const basisOf = (sketch: Sketch): unknown => {
      const step = planIssuance(observed(sketch), policy, nowMs);
      return step !== null && 'plannedOn' in step ? step.plannedOn : null;
    };
    const { authority, secret, targetState } = clusterOf;
    expect(basisOf({})).to.equal('absent');
    expect(basisOf({ ...served('a1'), rotate: 'ca/A' })).to.deep.equal(authority('A'));
    expect(basisOf({ ...served('a1'), ca: 'A:' })).to.deep.equal(authority('A:'));
    expect(basisOf({ ...served('a1'), targets: ['0'] })).to.deep.equal(targetState('0'));
    expect(basisOf({ ...served('a1'), secret: '-' })).to.equal('absent');
    expect(basisOf({ ...served('a1'), rotate: 'leaf' })).to.deep.equal(secret('a1:A'));
    expect(basisOf({ ...served('a1'), secret: 'a1:A+X' })).to.deep.equal(secret('a1:A+X'));
    expect(basisOf({ ...wide('b1'), servedMinutes: 60 })).to.deep.equal(authority('B+A'));
  });

  it('hands a write that takes trust away the SECRET-ca on account of which it does, and no other', () => {
    const precondition = (ca: string) => ({ object: 'ca', state: clusterOf.authority(ca) });
    const accountOf = (sketch: Sketch): unknown => {
      const step = planIssuance(observed(sketch), policy, nowMs);
      return step?.kind === 'inject' ? step.precondition : step;
    };
    expect(accountOf({ ...wide('b1'), ca: 'B', servedMinutes: 60 })).to.deep.equal(precondition('B'));
    expect(accountOf({ ...served('a1'), targets: ['X'] })).to.deep.equal(precondition('A'));
    expect(accountOf({ ...served('a1'), ca: 'B+A', rotate: 'ca/A' })).to.equal(undefined);
    expect(accountOf({ ...served('a1'), targets: ['0'] })).to.equal(undefined);
  });

  it('signs with the CA it has seen', () => {
    const step = planIssuance(observed({ ...served('a1'), secret: '-' }), policy, nowMs);
    expect(step).to.deep.equal({
      kind: 'issue-leaf',
      reason: 'missing',
      ca: clusterOf.authority('A'),
      plannedOn: 'absent',
    });
  });

  it('renews a leaf clamped to the end of its CA a few times only, never at once', () => {
    const { certificate, dayMs, authority, secret } = clusterOf;
    const endMs = nowMs + 29 * dayMs;
    const ca = { ...certificate('A'), notBeforeMs: nowMs - 20 * dayMs, notAfterMs: endMs };
    let atMs = nowMs;
    let leaf = { ...certificate('a1'), notBeforeMs: atMs - 3_600_000, notAfterMs: endMs };
    let renewals = 0;
    const seen = observed(served('a1'));
    // The last hour is the next CA's affair.
    while (atMs < endMs - 3_600_000) {
      const step = planIssuance(
        {
          ...seen,
          ca: { ...authority('A'), current: ca, bundle: [ca] },
          secret: { ...secret('a1:A'), leaf, trust: [ca] },
          targets: [],
        },
        { ...policy, caRenewBeforeMs: 0 },
        atMs,
      );
      if (step?.kind === 'issue-leaf') {
        renewals += 1;
        expect(renewals, 'renewals in one life').to.be.below(9);
        leaf = { ...leaf, notBeforeMs: atMs - 3_600_000 };
      } else {
        expect(step).to.equal(null);
        atMs += 60_000;
      }
    }
    expect(renewals).to.be.above(0);
  });

  it('announces the next leaf although a target would reject it, once the announced one has expired (L9)', () => {
    const seen = observed({ ...served('a1'), ca: 'B+A', secret: 'b1:B+A', targets: ['A refused', 'B+A'] });
    const until = (validUntil: string) => ({
      ...seen,
      lease: { ...seen.lease, announcement: { hash: 'a1', validUntil } },
    });
    const at = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
    expect(stepInWords(planIssuance(until(at(nowMs + 1_000)), policy, nowMs))).to.equal('nothing');
    expect(stepInWords(planIssuance(until(at(nowMs)), policy, nowMs))).to.equal('announce b1');
  });

  it('issues no CA for a lost one while a target that may still trust it cannot be listed and its leaf is valid', () => {
    const seen = observed({ ...served('a1'), ca: '-', targets: ['~'] });
    const until = (validUntil: string) => ({
      ...seen,
      lease: { ...seen.lease, announcement: { hash: 'a1', validUntil } },
    });
    const at = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
    expect(stepInWords(planIssuance(until(at(nowMs + 1_000)), policy, nowMs))).to.equal('nothing');
    expect(stepInWords(planIssuance(until(at(nowMs)), policy, nowMs))).to.equal('new CA, missing, keep A');
  });

  describe('issuanceWaitsFor', () => {
    const waitsFor = (sketch: Sketch) => issuanceWaitsFor(observed(sketch), policy, nowMs);

    it('names the targets that a due change of CA waits for', () => {
      const refusing = { ...served('a1'), targets: ['A+X refused', 'A', 'X refused'] };
      expect(waitsFor(refusing)).to.deep.equal([]);
      expect(waitsFor({ ...refusing, rotate: 'ca/A' })).to.deep.equal(['target-0']);
      expect(waitsFor({ ...refusing, daysLeft: { A: 365 } })).to.deep.equal(['target-0']);
    });

    it('names the targets that cannot be listed', () => {
      const unreadable = { ...served('a1'), targets: ['~', 'A', '!'] };
      expect(waitsFor(unreadable)).to.deep.equal([]);
      expect(waitsFor({ ...unreadable, rotate: 'ca/A' })).to.deep.equal(['target-0']);
      expect(waitsFor({ ...unreadable, ca: 'B+A' })).to.deep.equal(['target-0']);
    });

    it('names the targets that a leaf of the new CA waits for', () => {
      const begun = { ...served('a1'), ca: 'B+A', targets: ['A refused', 'B+A', 'A held'] };
      expect(waitsFor(begun)).to.deep.equal(['target-0']);
      expect(waitsFor({ ...begun, secret: '-' })).to.deep.equal([]);
    });

    it('names none while too little is known', () => {
      expect(waitsFor({ targets: ['A refused'] })).to.deep.equal([]);
    });
  });
});
