import { expect } from 'chai';
import { createLogger, type Logger } from '../../src/logging/logger.ts';

const timeMs = new Date(2026, 10, 23, 6, 5, 4, 37).getTime();

const open = (colours: boolean): { readonly logger: Logger; readonly lines: string[] } => {
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  const logger = createLogger({ level: 'debug', format: 'pretty', write, colours, now: () => timeMs });
  return { logger, lines };
};

describe('the pretty log', () => {
  it('begins with the time of day and the level, and lines the fields up', () => {
    const { logger, lines } = open(false);
    logger.info('Certificate loaded and verified', { hash: '0123456789abcdef'.repeat(4), elapsedMs: 12 });
    logger.warn('Watch creation failed', { status: null, error: new Error('no route'), list: ['a', 1] });
    logger.error('fatal');
    expect(lines).to.deep.equal([
      '06:05:04.037 INFO  Certificate loaded and verified                       hash=0123456789ab elapsedMs=12',
      '06:05:04.037 WARN  Watch creation failed                                 status=null error="no route" list=["a",1]',
      '06:05:04.037 ERROR fatal',
    ]);
  });

  it('shortens every hash, nested ones too', () => {
    const { logger, lines } = open(false);
    logger.info('m', { replicas: [{ servingHash: 'ab'.repeat(32) }], text: `hash ${'cd'.repeat(32)} differs` });
    expect(lines[0]).to.include('[{"servingHash":"abababababab"}] text="hash cdcdcdcdcdcd differs"');
  });

  it('has colours only where they are asked for', () => {
    const [plain, coloured] = [open(false), open(true)];
    for (const { logger } of [plain, coloured]) logger.error('m', { a: 1 });
    expect(plain.lines[0]).to.not.include('\u001b');
    expect(coloured.lines[0]).to.include('\u001b[31mERROR\u001b[0m');
  });

  it('shows what a terminal would obey', () => {
    const { logger, lines } = open(false);
    logger.info('a\nb\u001b[2J', { x: '\u009b31m', 'k\n': 'two\nlines', quote: 'say "x"' });
    expect(lines[0]).to.not.match(/[\n\u001b\u009b]/);
    expect(lines[0]).to.include('x="\\u009b31m"').and.to.include('quote="say \\"x\\""');
  });
});
