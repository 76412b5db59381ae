import { expect } from 'chai';
import fc from 'fast-check';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { settings } from '../../src/config/variables.ts';
import { visibleText } from '../../src/util/redact.ts';
import { enough, parse } from '../config/parse.ts';
import { type FuzzLaw, fuzzLaw } from './fuzz-law.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('-', '=', ':', '/', '.', ',', 'a', '0', ' ', '[', ']', '@', '\0', '\n', '٣') }),
);
const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, '': 1_000 } as const;
const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
const count = fc.oneof(fc.nat(100_000), fc.maxSafeNat(), fc.constantFrom(0, 1, 24, 36_500, 2 ** 31, 2 ** 53));
const tokens = fc.constantFrom(
  'serve',
  'check',
  'rotate',
  'demo',
  'help',
  '--help',
  '-h',
  '--version',
  '--',
  '-',
  '--=',
  '--v=1',
  '-v',
  '--ca',
  '--json',
  '--rotations',
  '--cert-timeout',
  '--cert-timeout=',
  '--no-such=x',
);

/** What each of these settings takes, written apart from the parser. */
const durations: readonly (readonly [string, keyof Config, number, number])[] = [
  ['TICK_INTERVAL', 'tickMs', 50, 3_600_000],
  ['UPSTREAM_TIMEOUT', 'upstreamTimeoutMs', 1, 24 * units.d],
  ['SHUTDOWN_GRACE', 'shutdownGraceMs', 0, 24 * units.d],
  ['CA_OVERLAP', 'caOverlapMs', 0, 36_500 * units.d],
  ['TRUST_SETTLE', 'trustSettleMs', 0, 24 * units.d],
];
const sizes = { KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3, '': 1 } as const;

const only = (env: Readonly<Record<string, string>>): Config | string => {
  const result = parse(env);
  if (result.ok) return result.config;
  expect(result.problems, result.problems.join('\n')).to.have.lengthOf(1);
  return result.problems[0] ?? '';
};
const refusedAs = (read: string | Config, name: string, value: string): void => {
  const problem = typeof read === 'string' ? read : 'it is taken';
  expect(problem.startsWith(`${name}="${value}": expected `), problem).to.equal(true);
};

export const configuration: readonly FuzzLaw[] = [
  fuzzLaw(
    'reads a duration in any unit, and refuses one that is out of its range by name and value',
    fc.property(fc.constantFrom(...durations), count, unit, ([name, field, fromMs, toMs], amount, suffix) => {
      const value = `${amount}${suffix}`;
      const ms = amount * units[suffix];
      const read = only({ [name]: value });
      if (ms < fromMs || ms > toMs) refusedAs(read, name, value);
      else expect(typeof read === 'string' ? read : read[field]).to.equal(ms);
    }),
  ),
  fuzzLaw(
    'reads a size in any unit, and refuses one that is out of its range by name and value',
    fc.property(count, fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[])), (amount, suffix) => {
      const value = `${amount}${suffix}`;
      const bytes = amount * sizes[suffix];
      const read = only({ MAX_REQUEST_BYTES: value });
      if (bytes < 1 || bytes > sizes.GiB) refusedAs(read, 'MAX_REQUEST_BYTES', value);
      else expect(typeof read === 'string' ? read : read.maxRequestBytes).to.equal(bytes);
    }),
  ),
  fuzzLaw(
    'reads any address of a host and a port of 16 bits, and refuses other ports by name and value',
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6().map((host) => `[${host}]`),
        fc.domain(),
        fc.constant(''),
      ),
      fc.nat(99_999),
      (host, port) => {
        const value = `${host}:${port}`;
        const read = only({ WEBHOOK_BIND_ADDRESS: value, HEALTH_PROBE_BIND_ADDRESS: ':0', METRICS_BIND_ADDRESS: '0' });
        if (port > 65_535) expect(read).to.match(/^WEBHOOK_BIND_ADDRESS=".*:\d+…?": expected :PORT or HOST:PORT/);
        else expect(typeof read === 'string' ? read : read.webhookBind.port).to.equal(port);
      },
    ),
  ),
  fuzzLaw(
    'whose one variable is anything is taken, or told with the name, the value and what is accepted, on one line',
    fc.property(fc.constantFrom(...settings.map(([, { name }]) => name)), text, (name, value) => {
      const result = parse({ [name]: value });
      if (result.ok) return;
      for (const problem of result.problems) expect(problem, problem).to.match(/^[^\n\r\0\u2028]{1,700}$/);
      const mine = result.problems.find((problem) => problem.includes(name)) ?? '';
      expect(mine, result.problems.join('\n')).to.match(/expected|set|must|than|not/);
      const short = visibleText(value.trim().slice(0, 20)).slice(0, 8);
      if (!value.includes('@') && value.trim() !== '') expect(mine).to.include(short);
    }),
  ),
  fuzzLaw(
    'on any command line is read without a throw, each problem on one line',
    fc.property(fc.array(fc.oneof(tokens, text), { maxLength: 8 }), (argv) => {
      const { command, problems, flags } = parseCommandLine(argv);
      expect(command).to.be.oneOf(['serve', 'check', 'rotate', 'demo']);
      for (const problem of problems) expect(problem).to.match(/^[^\n\r\0\u2028]{1,700}$/);
      parseConfig({
        env: enough,
        flags,
        read: { namespace: () => null, hostname: () => null },
        serves: command === 'serve',
      });
    }),
  ),
];
