import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { ownFlags, wholeNumber } from './tool-flags.ts';

const about = `npm run test:soak -- [--test N] [--cluster N] [--busy N]

Repeats \`npm test\` and \`npm run test:cluster\` while a busy loop runs on each core, to find specs that fail only on a loaded
machine. Each run's output is kept in test-output/under-load. Ends with 1 when a run failed, with 2 for a bad flag.`;

const flags = ownFlags(about, {
  test: wholeNumber(20, 0, 10_000, 'how many times npm test'),
  cluster: wholeNumber(
    process.env['KUBEBUILDER_ASSETS'] === undefined ? 0 : 3,
    0,
    10_000,
    'how many times npm run test:cluster',
  ),
  busy: wholeNumber(availableParallelism(), 0, 10_000, 'how many busy loops'),
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, 'test-output', 'under-load');
const FAILURES = /^ {2}\d+ failing$[^]*/m;

const runOnce = async (script: string, number: number): Promise<boolean> => {
  const log = join(FOLDER, `${script.replace(':', '-')}-${number}.log`);
  const beganMs = performance.now();
  const child = spawn('npm', ['run', '--silent', script, '--', '--reporter', 'dot'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [[code]] = await Promise.all([ended, pipeline(child.stdout, createWriteStream(log))]);
  const text = await readFile(log, 'utf8');
  const passing = /(\d+) passing/.exec(text)?.[1] ?? 'none';
  const seconds = Math.round((performance.now() - beganMs) / 1_000);
  say(`${script} ${number}: ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s, ${passing} passing, ${log}`);
  if (code !== 0) say(FAILURES.exec(text)?.[0] ?? text.slice(-2_000));
  return code === 0;
};

await mkdir(FOLDER, { recursive: true });
const loops = Array.from({ length: Number(flags.asked.busy) }, () => new Worker('for (;;);', { eval: true }));
let failed = 0;
for (const [script, times] of [
  ['test', flags.asked.test],
  ['test:cluster', flags.asked.cluster],
] as const)
  for (let number = 1; number <= Number(times); number += 1) if (!(await runOnce(script, number))) failed += 1;
await Promise.all(loops.map((loop) => loop.terminate()));
say(JSON.stringify({ ...flags.asked, failed }));
process.exitCode = failed === 0 ? 0 : 1;
