import { expect } from 'chai';
import fc from 'fast-check';
import { createLogger, type Logger, type LoggerOptions } from '../../src/logging/logger.ts';

const timeMs = Date.UTC(2026, 10, 23, 6, 5, 4, 37);

const open = (options: Partial<LoggerOptions> = {}): { readonly logger: Logger; readonly lines: string[] } => {
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  const logger = createLogger({ level: 'debug', format: 'json', write, colours: false, now: () => timeMs, ...options });
  return { logger, lines };
};

const fieldsOf = (fields: Record<string, unknown>): Record<string, unknown> => {
  const { logger, lines } = open();
  logger.info('m', fields);
  expect(lines).to.have.lengthOf(1);
  const { level, time, message, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
  expect({ level, time, message }).to.deep.equal({ level: 'info', time: '2026-11-23T06:05:04.037Z', message: 'm' });
  return rest;
};

describe('the JSON log', () => {
  it('writes level, time, message, then the fields in the order given', () => {
    const { logger, lines } = open();
    logger.warn('Watch creation failed', { status: 403, error: new Error('forbidden'), retryInMs: 800, a: null });
    expect(lines).to.deep.equal([
      '{"level":"warn","time":"2026-11-23T06:05:04.037Z","message":"Watch creation failed","status":403,' +
        '"error":"forbidden","retryInMs":800,"a":null}',
    ]);
  });

  it('has written each line before the call returns, in bursts and from within a write too', () => {
    const lines: string[] = [];
    const logger: Logger = createLogger({
      level: 'info',
      format: 'json',
      colours: false,
      write: (line) => {
        if (lines.push(line) === 3) logger.info('from within');
      },
    });
    logger.info('first');
    expect(lines).to.have.lengthOf(1);
    for (let count = 0; count < 5000; count += 1) logger.info('next');
    expect(lines).to.have.lengthOf(5002);
  });

  it('writes every level at the level debug', () => {
    const { logger, lines } = open({ level: 'debug' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]('m');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).to.deep.equal([
      'debug',
      'info',
      'warn',
      'error',
    ]);
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = open({ level: 'warn' });
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    logger.error('d');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).to.deep.equal(['warn', 'error']);
  });

  it('keeps one entry on one line', () => {
    const { logger, lines } = open();
    logger.info('a\nb', { text: 'c\r\nd' });
    expect(lines[0]).to.not.match(/[\r\n]/);
  });

  it('says what errors and their causes say, without their stacks', () => {
    const cause = new AggregateError([new Error('refused on ::1'), new Error('refused on 127.0.0.1')], '');
    const error = new Error('fetch failed', { cause });
    expect(fieldsOf({ error })).to.deep.equal({ error: 'fetch failed: refused on ::1; refused on 127.0.0.1' });
    expect(fieldsOf({ error: new TypeError('') })).to.deep.equal({ error: 'TypeError' });
    error.cause = error;
    expect(fieldsOf({ error })['error']).to.have.length.below(200);
  });

  it('survives bigints, cycles, depth, functions, throwing getters and what JSON has no word for', () => {
    const loop: Record<string, unknown> = { n: 1n };
    loop['self'] = loop;
    expect(fieldsOf({ loop, f: () => 0, s: Symbol('x'), u: undefined, nan: NaN, date: new Date(NaN) })).to.deep.equal({
      loop: { n: '1', self: '[circular]' },
      nan: 'NaN',
      date: 'invalid date',
    });
    expect(fieldsOf({ set: new Set([1]), map: new Map([['k', 2]]), url: new URL('http://a/') })).to.deep.equal({
      set: [1],
      map: { k: 2 },
      url: 'http://a/',
    });
    const throwing = Object.defineProperty({}, 'x', { enumerable: true, get: () => expect.fail('read') });
    expect(fieldsOf({ throwing })).to.deep.equal({ fields: 'unreadable' });
  });

  it('shows the same object twice where it is no cycle', () => {
    const same = { a: 1 };
    expect(fieldsOf({ one: same, two: same })).to.deep.equal({ one: same, two: same });
  });

  it('lets no field pass for level, time or message', () => {
    const { logger, lines } = open();
    logger.info('m', { level: 'error', message: 'other', time: 0 });
    expect(JSON.parse(lines[0]!)).to.deep.equal({
      level: 'info',
      time: '2026-11-23T06:05:04.037Z',
      message: 'm',
      _level: 'error',
      _time: 0,
      _message: 'other',
    });
  });

  it('goes on when its reader has gone away', () => {
    let calls = 0;
    const write = (): void => {
      calls += 1;
      throw new Error('EPIPE');
    };
    const { logger } = open({ write });
    logger.info('a');
    logger.info('b');
    expect(calls).to.equal(2);
  });

  it('writes one parsable line whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.anything()), (message, fields) => {
        const { logger, lines } = open();
        logger.info(message, fields);
        expect(lines).to.have.lengthOf(1);
        expect(JSON.parse(lines[0]!)).to.include({ level: 'info' });
        expect(lines[0]).to.not.match(/[\r\n]/);
      }),
    );
  });
});
