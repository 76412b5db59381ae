import { availableParallelism } from 'node:os';
import { issuers } from '../../streams/issuers.ts';
import { ownFlags, wholeNumber } from '../support/tool-flags.ts';
import { type Exploration, explore } from './explore.ts';
import { asTable } from './history.ts';
import { ALL_LAWS, type Law } from './laws.ts';
import { type Accident, ACCIDENTS, accidentsOf, type Scope } from './scope.ts';

/** `npm run model`: every history of a small cluster, by the planners that run in production. */
const ABOUT = `npm run model -- [flags]

Visits every state that a small cluster can reach under the real planners: every order of plans, reads, writes,
crashes, mounts, loads, acknowledgements, changes that an API server takes up late, expiries, and a few accidents.
Checks L1, L5 and L6 for every plan, L2 in every state, as each API server sees the caBundles, and that the goal can be
reached from every state (L9: also while a target refuses its writes). Prints a shortest history for what it finds.
The last line is {"states":…,"transitions":…,"violations":…,"stuck":…}. Exit codes: 0 nothing found, 1 something, 2 bad flags.`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const report = ({ violations, stuckHistories }: Exploration): void => {
  for (const { law, what, history } of violations) print(`${law} is broken: ${what}\n${asTable(history)}`);
  for (const history of stuckHistories) print(`The goal cannot be reached any more after\n${asTable(history)}`);
};

const { asked, json } = ownFlags(ABOUT, {
  issuer: {
    standard: 'self-signed',
    accepts: 'self-signed, external or relay',
    isGood: (text) => Object.hasOwn(issuers, text),
    help: 'whose planner, self-signed, external or relay',
  },
  replicas: wholeNumber(2, 1, 4, 'Pods that serve'),
  targets: wholeNumber(2, 1, 4, 'objects with a caBundle'),
  'api-servers': wholeNumber(
    2,
    1,
    2,
    '2 is one that takes up every caBundle at once, and one that lags by less than TRUST_SETTLE',
  ),
  start: {
    standard: 'empty',
    accepts: 'empty or running',
    isGood: (text) => text === 'empty' || text === 'running',
    help: 'the caBundles at the beginning: empty, or with the CA of a running webhook',
  },
  workers: wholeNumber(availableParallelism(), 1, 64, 'threads that share the states'),
  leaders: wholeNumber(
    1,
    1,
    2,
    'leaders at the same time: 2 is a deposed one whose last writes are still on their way',
  ),
  accidents: wholeNumber(2, 0, 5, 'most accidents in one history'),
  kinds: {
    standard: '',
    accepts: `some of: ${ACCIDENTS.join(', ')}`,
    isGood: (text) => text === '' || text.split(',').every((kind) => ACCIDENTS.includes(kind.trim() as Accident)),
    help: 'which accidents, separated by commas; all that suit the issuer if empty',
  },
  laws: {
    standard: ALL_LAWS.join(','),
    accepts: `some of: ${ALL_LAWS.join(', ')}`,
    isGood: (text) => text.split(',').every((law) => ALL_LAWS.includes(law as Law)),
    help: 'which laws are judged, separated by commas',
  },
  'most-states': wholeNumber(20_000_000, 1, 50_000_000, 'gives up beyond that many'),
});

const issuer = asked.issuer as Scope['issuer'];
const scope: Scope = {
  issuer,
  replicas: Number(asked.replicas),
  targets: Number(asked.targets),
  apiServers: Number(asked['api-servers']),
  start: asked.start as 'empty' | 'running',
  leaders: Number(asked.leaders),
  accidents: Number(asked.accidents),
  laws: asked.laws.split(',') as Law[],
  kinds: asked.kinds === '' ? accidentsOf(issuer) : asked.kinds.split(',').map((kind) => kind.trim() as Accident),
};
const found = await explore(scope, { mostStates: Number(asked['most-states']), workers: Number(asked.workers) });
if (!json) report(found);
const { states, transitions, violations, stuck } = found;
print(JSON.stringify({ states, transitions, violations: violations.length, stuck }));
process.exitCode = violations.length + stuck === 0 ? 0 : 1;
