import { expect } from 'chai';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { settings } from '../../src/config/variables.ts';

const names = settings.map(([, { name }]) => name);
const flags = [...settings.map(([, { flag }]) => flag), 'v'];

const almost = fc.constantFrom(
  '0',
  '1',
  '15',
  '-1',
  '2s',
  '500ms',
  '9999d',
  ':0',
  ':8080',
  'a:1',
  'true',
  'x=y',
  'a in (b)',
  'apiservice/a',
  'http://a:1',
  'unix:/a',
  '7MiB',
  'info',
  'http://user:hunter2@a',
);
const text = fc.oneof(almost, fc.string({ unit: 'binary' }), fc.string());
const some = (keys: readonly string[]): fc.Arbitrary<Record<string, string>> =>
  fc.dictionary(fc.constantFrom(...keys), text, { noNullPrototype: true });
const read = fc.record({ namespace: fc.option(text), hostname: fc.option(text) });

describe('any environment', () => {
  it('is taken or refused, never with a throw, and each problem names a variable on one line', () => {
    const either = { ok: 0, refused: 0 };
    fc.assert(
      fc.property(some(names), some(flags), read, fc.boolean(), (env, given, found, serves) => {
        const result = parseConfig({
          env,
          flags: new Map(Object.entries(given)),
          read: { namespace: () => found.namespace, hostname: () => found.hostname },
          serves,
        });
        either[result.ok ? 'ok' : 'refused'] += 1;
        if (result.ok) return;
        expect(result.problems).to.not.be.empty;
        for (const problem of result.problems) {
          expect(
            names.some((name) => problem.includes(name)),
            problem,
          ).to.equal(true);
          expect(problem).to.not.match(/[\n\r\0\u2028]|hunter2/);
          expect(problem.length).to.be.below(700);
        }
      }),
      { numRuns: 500 },
    );
    expect(either.refused).to.be.above(0);
  });

  it('with unknown flags of any spelling is refused, one line a flag', () => {
    const unknown = fc.string({ unit: 'binary' }).filter((flag) => !flags.includes(flag));
    fc.assert(
      fc.property(unknown, (flag) => {
        const env = { POD_NAMESPACE: 'a', POD_NAME: 'b', WEBHOOK_HANDLER: 'c' };
        const given = new Map([[flag, 'x']]);
        const result = parseConfig({
          env,
          flags: given,
          read: { namespace: () => null, hostname: () => null },
          serves: true,
        });
        expect(result.ok || result.problems).to.have.lengthOf(1);
        expect(result.ok ? '' : result.problems[0]).to.match(/^unknown flag --[^\n]*$/);
      }),
    );
  });
});
