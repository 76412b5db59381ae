import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';
import { ownFlags, wholeNumber } from '../support/tool-flags.ts';
import { writeDevelopmentDocument } from './document.ts';
import { MUTATED_ROOMS, type MutatedRoom, type RoomName } from './rooms.ts';
import {
  missingFrom,
  type MutationReport,
  readResults,
  resultOf,
  scoreOf,
  timeoutsOf,
  withoutSurvivors,
  writeResults,
} from './survivors.ts';

const ABOUT = `npm run mutate -- [--room NAME] [--only PATTERN]

Mutates one room and runs its specs on each mutant, those of the files that changed since the last run. Writes the score and
the survivors to spec/mutation/survivors.json and docs/development.md. Ends with 1 when the score is too low, when a mutant
survives that has no reason in that file, or when a listed one is killed.`;

const names = Object.keys(MUTATED_ROOMS);
const { asked } = ownFlags(ABOUT, {
  room: {
    standard: 'streams',
    accepts: `one of ${names.join(', ')}`,
    isGood: (text) => names.includes(text),
    help: `one of ${names.join(', ')}`,
  },
  only: {
    standard: '',
    accepts: 'files as a glob pattern',
    isGood: () => true,
    help: 'mutates only these files, shows what survives, and writes nothing',
  },
  constants: {
    standard: 'yes',
    accepts: 'yes or no',
    isGood: (text) => ['yes', 'no'].includes(text),
    help: 'no leaves out mutants of constants, each of which takes a new process, and writes nothing',
  },
  concurrency: wholeNumber(1, 1, 99, 'processes that run specs at the same time'),
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const name = asked.room as RoomName;
const { mutate, spec, minimum }: MutatedRoom = MUTATED_ROOMS[name];
const report = `test-output/mutation/${name}`;
const isWhole = asked.only === '' && asked.constants === 'yes';
// Stryker reuses the result of a mutant of a constant although specs were added: what survived is always run again.
const incrementalFile = `${report}.incremental.json`;
if (existsSync(incrementalFile)) {
  const before = JSON.parse(readFileSync(incrementalFile, 'utf8')) as MutationReport;
  writeFileSync(incrementalFile, JSON.stringify(withoutSurvivors(before)));
}
await new Stryker({
  mutate: asked.only === '' ? [...mutate] : [asked.only],
  ...(spec === null ? {} : { mochaOptions: { spec: [...spec] } }),
  concurrency: Number(asked.concurrency),
  incremental: asked.only === '',
  ignoreStatic: asked.constants === 'no',
  incrementalFile,
  jsonReporter: { fileName: `${report}.json` },
  htmlReporter: { fileName: `${report}.html` },
  tempDirName: `test-output/mutation/sandbox-${name}`,
  timeoutMS: 20_000,
  dryRunTimeoutMinutes: 30,
  thresholds: { high: 95, low: 90, break: null },
}).runMutationTest();

const results = readResults();
const known = results[name]?.survivors ?? [];
const found = JSON.parse(readFileSync(`${report}.json`, 'utf8')) as MutationReport;
const result = resultOf(found, known);
const complaints: string[] = [];
for (const { file, line, from, to, why } of result.survivors)
  if (why === '') complaints.push(`${file}: survives without a reason: ${from} → ${to} in ${line}`);
if (isWhole) {
  for (const { file, line, from, to } of missingFrom(known, result.survivors))
    complaints.push(`${file}: was listed and no longer survives: ${from} → ${to} in ${line}`);
  if (scoreOf(result) < minimum) complaints.push(`${name}: the score is below ${minimum} %`);
  writeResults({ ...results, [name]: result });
  writeDevelopmentDocument();
}
for (const complaint of complaints) say(complaint);
const { mutants, killed, survivors } = result;
const counts = { room: name, mutants, killed, timeouts: timeoutsOf(found), survivors: survivors.length };
say(JSON.stringify({ ...counts, score: scoreOf(result).toFixed(1) }));
process.exitCode = complaints.length > 0 ? 1 : 0;
